import { Metadata, type MethodDefinition } from '@grpc/grpc-js';
import { CALLER_HEADER, type CarriedCaller, encodeCaller } from '@sentinel/service-kit/carried-caller';
import type { Link } from './link.js';
import { noLeader } from './no-leader.js';

const toBytes = (json: unknown): Buffer => Buffer.from(JSON.stringify(json), 'utf8');
const fromBytes = (bytes: Buffer): unknown => JSON.parse(bytes.toString('utf8'));

/** A method between replicas: one value of JSON is answered with another one. */
export function jsonMethod(path: string): MethodDefinition<unknown, unknown> {
  return {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: toBytes,
    requestDeserialize: fromBytes,
    responseSerialize: toBytes,
    responseDeserialize: fromBytes,
  };
}

/** @throws the ServiceError of the call, SentinelError UNAVAILABLE when it ended without an answer */
export async function callJson(
  link: Link,
  path: string,
  caller: CarriedCaller,
  request: unknown,
  deadlineMs: number,
): Promise<unknown> {
  const metadata = new Metadata();
  metadata.set(CALLER_HEADER, encodeCaller(caller));
  const stream = link.open(path, metadata, Date.now() + deadlineMs);
  stream.end(toBytes(request));
  for await (const bytes of stream) return fromBytes(bytes as Buffer);
  throw noLeader();
}

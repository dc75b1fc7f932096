import { Metadata } from '@grpc/grpc-js';
import type { Identity } from '@sentinel/service-kit/auth';
import { CALLER_HEADER, carriedConnection, encodeCaller } from '@sentinel/service-kit/carried-caller';
import { SentinelError } from '@sentinel/service-kit/errors';
import { type ServiceEntry, unary } from '@sentinel/service-kit/grpc-server';
import type { Logger } from '@sentinel/service-kit/logging';
import type { HttpAnswer, HttpRequest } from '../api/http/routes.js';
import type { Link } from './link.js';
import { noLeader } from './no-leader.js';

const PATH = '/sentinel.replica.Http/Answer';
const DEADLINE_MS = 15_000;

/** A request that the replica which took it in has checked as it checks its own: host, origin, size. */
interface CarriedRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly authorization: string | null;
  readonly contentType: string | null;
  readonly body: string;
}

const toBytes = (json: unknown): Buffer => Buffer.from(JSON.stringify(json), 'utf8');
const fromBytes = (bytes: Buffer): unknown => JSON.parse(bytes.toString('utf8'));

/** HTTP requests that other replicas carry here. What their certificates prove is known by then; their tokens are checked by whoever answers. */
export function httpService(handle: (request: HttpRequest) => Promise<HttpAnswer>, log: Logger): ServiceEntry {
  return {
    definition: {
      answer: {
        path: PATH,
        requestStream: false,
        responseStream: false,
        requestSerialize: toBytes,
        requestDeserialize: fromBytes,
        responseSerialize: toBytes,
        responseDeserialize: fromBytes,
      },
    },
    implementation: { answer: unary((request: CarriedRequest, peer) => handle(unpack(request, peer)), log) },
    roles: { Answer: 'anyone' },
  };
}

function unpack({ method, target, authorization, contentType, body }: CarriedRequest, peer: Identity): HttpRequest {
  return {
    method,
    url: new URL(target, 'http://engine'),
    peer,
    authorization: authorization ?? undefined,
    contentType: contentType ?? undefined,
    // Events are answered by each replica for itself.
    lastEventId: '',
    body: async () => body,
  };
}

/** @throws SentinelError as the leader does, UNAVAILABLE when it does not answer */
export async function carryHttp(link: Link, replica: string, request: HttpRequest): Promise<HttpAnswer> {
  const { method, url, peer, authorization = null, contentType = null } = request;
  const target = `${url.pathname}${url.search}`;
  const carried: CarriedRequest = { method, target, authorization, contentType, body: await request.body() };
  const metadata = new Metadata();
  const caller = { identity: peer, connection: carriedConnection(replica, 'http') };
  metadata.set(CALLER_HEADER, encodeCaller(caller));
  const stream = link.open(PATH, metadata, Date.now() + DEADLINE_MS);
  stream.end(toBytes(carried));
  try {
    for await (const bytes of stream) return fromBytes(bytes as Buffer) as HttpAnswer;
  } catch (error) {
    const known = SentinelError.from(error);
    // Without a reason it comes from the way, not from the leader.
    throw known.code === 'UNAVAILABLE' && known.hint === '' ? noLeader(error) : known;
  }
  throw noLeader();
}

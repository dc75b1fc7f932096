import { Metadata, type ServerDuplexStream, status as Status, type StatusObject } from '@grpc/grpc-js';
import { CALLER_HEADER, carriedConnection, encodeCaller } from '@sentinel/service-kit/carried-caller';
import { ERROR_TRAILER, type SentinelError } from '@sentinel/service-kit/errors';
import { connectionOf, identityOf } from '@sentinel/service-kit/grpc-server';
import type { Link, RawStream } from './link.js';
import { noLeader } from './no-leader.js';

/** On the wire a call of any kind is two streams of messages and a status: one message, where a call has one. */
export type RawCall = ServerDuplexStream<Buffer, Buffer>;

/** Of the connection to the leader, not of the answer. */
const HOP_BY_HOP = /^(content-type|date|grpc-.*)$/;
/** Without a reason of ours these say that the leader, or the way to it, is gone. */
const LOST: ReadonlySet<number> = new Set([Status.UNAVAILABLE, Status.CANCELLED, Status.INTERNAL, Status.UNKNOWN]);

/**
 * One call of a client of this replica, carried to the leader byte for byte. Each side is read only as fast as the other one takes
 * it, so that nothing gathers here; deadline, cancellation, half-close and status pass through.
 */
export class CarriedCall {
  readonly #call: RawCall;
  readonly #upstream: RawStream;
  readonly #ended: () => void;
  #over = false;

  /** @param ended called once */
  constructor(call: RawCall, path: string, link: Link, replica: string, ended: (call: CarriedCall) => void) {
    this.#call = call;
    this.#ended = () => ended(this);
    const caller = { identity: identityOf(call), connection: carriedConnection(replica, connectionOf(call)) };
    const metadata = new Metadata();
    metadata.set(CALLER_HEADER, encodeCaller(caller));
    this.#upstream = link.open(path, metadata, call.getDeadline());
    this.#run();
  }

  /** Ends it on both sides. */
  end(error: SentinelError): void {
    if (!this.#close()) return;
    this.#upstream.cancel();
    this.#call.emit('error', error.toServiceError());
  }

  #run(): void {
    const call = this.#call;
    const upstream = this.#upstream;
    call.on('data', (bytes: Buffer) => {
      if (!this.#over && !upstream.write(bytes)) call.pause();
    });
    upstream.on('drain', () => call.resume());
    call.on('end', () => upstream.end());
    call.on('cancelled', () => {
      if (this.#close()) upstream.cancel();
    });
    upstream.on('data', (bytes: Buffer) => {
      if (!call.write(bytes)) upstream.pause();
    });
    call.on('drain', () => upstream.resume());
    // The status says it too.
    upstream.on('error', () => {});
    upstream.on('status', (status: StatusObject) => {
      if (!this.#close()) return;
      // What came before the status is sent before it; reading it calls the listener above.
      while (upstream.read() !== null);
      this.#finish(status);
    });
  }

  /** @returns false when it was over */
  #close(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#ended();
    return true;
  }

  #finish(status: StatusObject): void {
    const metadata = endToEnd(status.metadata);
    if (status.code === Status.OK) this.#call.end(metadata);
    else if (metadata.get(ERROR_TRAILER).length === 0 && LOST.has(status.code))
      this.#call.emit('error', noLeader(status.details).toServiceError());
    else this.#call.emit('error', { ...status, metadata });
  }
}

function endToEnd(metadata: Metadata): Metadata {
  const kept = new Metadata();
  for (const key of Object.keys(metadata.getMap())) {
    if (HOP_BY_HOP.test(key)) continue;
    for (const value of metadata.get(key)) kept.add(key, value);
  }
  return kept;
}

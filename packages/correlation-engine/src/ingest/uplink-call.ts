import type { ServerDuplexStream } from '@grpc/grpc-js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { failStream } from '@sentinel/service-kit/grpc-server';
import type { Logger } from '@sentinel/service-kit/logging';
import type { WaitingRoom } from './waiting-room.js';

/** Bytes of one stream that wait for their commit; at this many it is not read. */
const WINDOW_BYTES = 4 * 1024 * 1024;

/** Requests arrive as bytes: what cannot be decoded is then refused with a reason instead of breaking the call. */
export type BytesCall<Response> = ServerDuplexStream<Buffer, Response>;

export interface UplinkCallParts<Response> {
  readonly call: BytesCall<Response>;
  /** Records that may wait for their commit; at this many the stream is not read. */
  readonly windowRecords: number;
  /** For what waits of all streams together. */
  readonly room: WaitingRoom;
  readonly log: Logger;
  /** May throw: that ends the stream. */
  readonly receive: (bytes: Buffer) => void;
  /** Says how far everything is committed, cumulatively; null = nothing was bound yet. */
  readonly acknowledgement: () => Response | null;
  /** Called before a stream is ended for an error of its sender or ours. */
  readonly onRefused: (error: SentinelError) => void;
  /** Called once. */
  readonly onOver: () => void;
}

/**
 * A stream of records that are queued for their commit and acknowledged: reads no more than a window ahead, and no more than all streams
 * together may, answers while the sender reads, ends when the sender has said all and all is acknowledged, or with an error.
 */
export class UplinkCall<Response> {
  readonly #parts: UplinkCallParts<Response>;
  #waiting = 0;
  #waitingBytes = 0;
  #acknowledgeOnDrain = false;
  #halfClosed = false;
  #ended = false;
  readonly #whenRoom = (): void => this.resume();

  constructor(parts: UplinkCallParts<Response>) {
    this.#parts = parts;
  }

  run(): void {
    const { call, receive } = this.#parts;
    call.on('data', (bytes: Buffer) => this.guard(() => receive(bytes)));
    call.on('end', () => {
      this.#halfClosed = true;
      this.#closeWhenDone();
    });
    call.on('cancelled', () => this.#forget());
    call.on('error', () => this.#forget());
    call.on('drain', () => {
      if (this.#acknowledgeOnDrain) this.acknowledge();
    });
  }

  /** A record of so many bytes waits for its commit, until the returned function is called. */
  wait(bytes: number): () => void {
    const { room, call } = this.#parts;
    this.#waiting += 1;
    this.#waitingBytes += bytes;
    room.enter(bytes);
    if (this.#isFull()) call.pause();
    return () => {
      this.#waiting -= 1;
      this.#waitingBytes -= bytes;
      room.leave(bytes);
    };
  }

  /** Cumulative: one answer says it all, and while the sender does not read only the newest is kept. */
  acknowledge(): void {
    const { call, acknowledgement } = this.#parts;
    if (this.#ended) return;
    this.#acknowledgeOnDrain = call.writableNeedDrain;
    if (this.#acknowledgeOnDrain) return;
    const answer = acknowledgement();
    if (answer === null) return;
    call.write(answer);
    this.#closeWhenDone();
  }

  /** Reads on where there is room again. */
  resume(): void {
    const { call, windowRecords } = this.#parts;
    const hasRoom = this.#waiting < windowRecords / 2 && this.#waitingBytes < WINDOW_BYTES / 2;
    if (!this.#ended && call.isPaused() && hasRoom && !this.#isKeptOut()) call.resume();
  }

  /** What throws in there ends the stream. */
  guard(action: () => void): void {
    try {
      if (!this.#ended) action();
    } catch (error) {
      this.fail(error);
    }
  }

  fail(thrown: unknown): void {
    if (this.#ended) return;
    const { call, log, onRefused } = this.#parts;
    const error = SentinelError.from(thrown);
    if (error.reason !== 'SHUTTING_DOWN') onRefused(error);
    this.#forget();
    failStream(call, thrown, log);
  }

  #isFull(): boolean {
    return this.#isKeptOut() || this.#waiting >= this.#parts.windowRecords || this.#waitingBytes >= WINDOW_BYTES;
  }

  /** Where all streams together have too much waiting it goes on once there is room. */
  #isKeptOut(): boolean {
    const { room } = this.#parts;
    if (room.isFull) room.whenRoom(this.#whenRoom);
    return room.isFull;
  }

  #closeWhenDone(): void {
    if (!this.#halfClosed || this.#waiting > 0 || this.#ended) return;
    this.#forget();
    this.#parts.call.end();
  }

  #forget(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#parts.room.forget(this.#whenRoom);
    this.#parts.onOver();
  }
}

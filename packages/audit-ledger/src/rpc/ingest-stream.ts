/**
 * Requests of one stream overlap, their answers come in order; the first that fails ends the stream. A client that does not
 * read its answers is not read from either.
 */
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { IngestEventsResponse, IngestStreamResponse } from '@sentinel/contracts/sentinel/v1/audit.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { failStream, identityOf } from '@sentinel/service-kit/grpc-server';
import { batchOf } from '../ingest/check-events.js';
import type { WriterContext } from './context.js';
import { admit, takeEvents } from './ingest.js';

/** Requests, or events, of one stream under way: beyond it the stream is not read, so its sender feels the pressure. */
const MAX_REQUESTS = 256;
const MAX_EVENTS = 16_384;

type Call = ServerDuplexStream<Buffer, IngestStreamResponse>;

/** Streams that a drain has to end. */
export class IngestStreams {
  readonly #context: WriterContext;
  readonly #open = new Set<StreamSession>();

  constructor(context: WriterContext) {
    this.#context = context;
  }

  handle(call: Call): void {
    const session = new StreamSession(this.#context, call, () => this.#open.delete(session));
    this.#open.add(session);
  }

  /** Answers what was taken, then ends every stream. */
  async drain(): Promise<void> {
    await Promise.all(Array.from(this.#open, (session) => session.drain()));
  }
}

class StreamSession {
  readonly #context: WriterContext;
  readonly #call: Call;
  readonly #ended: () => void;
  /** Resolves when the answers of all requests so far are written. */
  #answered: Promise<void> = Promise.resolve();
  #requests = 0;
  #events = 0;
  #closed = false;
  #refused = false;
  #draining = false;
  /** Ends the wait for a client that does not read its answers. */
  #goOn: () => void = () => undefined;

  constructor(context: WriterContext, call: Call, ended: () => void) {
    this.#context = context;
    this.#call = call;
    this.#ended = ended;
    call.on('data', (request: Buffer) => this.#take(request));
    call.on('end', () => void this.#finish());
    call.on('cancelled', () => this.#close());
    call.on('error', () => this.#close());
  }

  async drain(): Promise<void> {
    this.#draining = true;
    this.#call.pause();
    this.#goOn();
    await this.#answered;
    this.#fail(
      new SentinelError({
        code: 'UNAVAILABLE',
        reason: 'SHUTTING_DOWN',
        message: 'the ledger is stopping',
        retryAfterMs: 1000,
      }),
    );
  }

  #take(message: Buffer): void {
    if (this.#closed || this.#refused) return;
    const { events, result } = this.#start(message);
    this.#requests += 1;
    this.#events += events;
    if (this.#requests >= MAX_REQUESTS || this.#events >= MAX_EVENTS) this.#call.pause();
    // The answer is awaited in turn; a failure must not count as unhandled until then.
    result.catch(() => undefined);
    this.#answered = this.#answered.then(() => this.#answer(result, events));
  }

  /** What follows a refused request is not taken: its sender begins with that one again, and numbers must not overtake. */
  #start(message: Buffer): { events: number; result: Promise<IngestEventsResponse> } {
    try {
      const admitted = admit(this.#context, batchOf(message), identityOf(this.#call));
      return { events: admitted.drafts.length, result: takeEvents(this.#context, admitted) };
    } catch (error) {
      this.#refused = true;
      return { events: 0, result: Promise.reject(SentinelError.from(error)) };
    }
  }

  async #answer(result: Promise<IngestEventsResponse>, events: number): Promise<void> {
    try {
      const answer = await result;
      if (!this.#closed && !this.#call.write({ result: answer })) await this.#readOn();
    } catch (error) {
      this.#fail(error);
    }
    this.#requests -= 1;
    this.#events -= events;
    if (!this.#closed && this.#call.isPaused()) this.#call.resume();
  }

  /** Resolves when the client has read enough of its answers: until then its requests count as under way. */
  async #readOn(): Promise<void> {
    if (this.#draining) return;
    await new Promise<void>((resolve) => {
      this.#goOn = resolve;
      this.#call.once('drain', resolve);
    });
  }

  async #finish(): Promise<void> {
    await this.#answered;
    if (!this.#closed) this.#call.end();
    this.#close();
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    this.#close();
    failStream(this.#call, error, this.#context.log);
  }

  #close(): void {
    this.#closed = true;
    this.#goOn();
    this.#ended();
  }
}

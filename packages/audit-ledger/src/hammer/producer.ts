/**
 * One sender on one IngestStream. What was not acknowledged is sent again over a new stream, in order, until it is: an event
 * is forgotten only when the ledger says that it has it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import type {
  AuditServiceClient,
  IngestEventsRequest,
  IngestEventsResponse,
  IngestStreamRequest,
  IngestStreamResponse,
} from '@sentinel/contracts/sentinel/v1/audit.js';
import { SentinelError } from '@sentinel/service-kit/errors';

/** Pause before a new stream where the refusal names none. */
const RETRY_MS = 100;
const CONNECT_MS = 2_000;

export interface ProducerEvents {
  /** `ms`: since the request was due. */
  acked(request: IngestEventsRequest, response: IngestEventsResponse, ms: number): void;
  refused(error: SentinelError): void;
}

type Stream = ClientDuplexStream<IngestStreamRequest, IngestStreamResponse>;

interface Unacked {
  readonly request: IngestEventsRequest;
  readonly dueMs: number;
}

export class Producer {
  readonly #connect: () => AuditServiceClient;
  readonly #events: ProducerEvents;
  /** Oldest first; an answer is always that of the oldest. */
  #unacked: Unacked[] = [];
  #unackedEvents = 0;
  #client: AuditServiceClient | undefined;
  #stream: Stream | undefined;
  #stopped = false;
  #settled: () => void = () => undefined;

  constructor(connect: () => AuditServiceClient, events: ProducerEvents) {
    this.#connect = connect;
    this.#events = events;
    this.#open();
  }

  get unackedEvents(): number {
    return this.#unackedEvents;
  }

  /** `dueMs`: when it should have been sent, by performance.now(). */
  send(request: IngestEventsRequest, dueMs = performance.now()): void {
    this.#unacked.push({ request, dueMs });
    this.#unackedEvents += request.events.length;
    this.#stream?.write({ batch: request });
  }

  /** Resolves when everything is acknowledged, or after `limitMs`; then ends the stream. */
  async finish(limitMs: number): Promise<void> {
    if (this.#unacked.length > 0) {
      const settled = new Promise<void>((resolve) => {
        this.#settled = resolve;
      });
      await Promise.race([settled, delay(limitMs, undefined, { ref: false })]);
    }
    this.#stopped = true;
    this.#stream?.end();
    this.#client?.close();
  }

  /** Nothing is written before somebody listens: what waits is encoded for each stream anew. */
  #open(): void {
    const client = this.#connect();
    this.#client = client;
    client.waitForReady(Date.now() + CONNECT_MS, (error) => {
      if (this.#client !== client || this.#stopped) return;
      if (error === undefined) this.#begin(client);
      else this.#lost(undefined, new SentinelError({ code: 'UNAVAILABLE', message: error.message }));
    });
  }

  #begin(client: AuditServiceClient): void {
    const stream = client.ingestStream();
    this.#stream = stream;
    stream.on('data', ({ result }: IngestStreamResponse) => this.#take(result));
    stream.on('error', (error: unknown) => this.#lost(stream, SentinelError.from(error)));
    stream.on('end', () =>
      this.#lost(stream, new SentinelError({ code: 'UNAVAILABLE', message: 'the ledger ended the stream' })),
    );
    for (const { request } of this.#unacked) stream.write({ batch: request });
  }

  #take(response: IngestEventsResponse | undefined): void {
    const oldest = this.#unacked.shift();
    if (oldest === undefined || response === undefined) throw new Error('the ledger answered what nobody asked');
    this.#unackedEvents -= oldest.request.events.length;
    this.#events.acked(oldest.request, response, performance.now() - oldest.dueMs);
    if (this.#unacked.length === 0) this.#settled();
  }

  #lost(stream: Stream | undefined, error: SentinelError): void {
    if (this.#stopped || this.#stream !== stream) return;
    this.#stream = undefined;
    this.#client?.close();
    this.#events.refused(error);
    setTimeout(() => {
      if (!this.#stopped) this.#open();
    }, error.retryAfterMs || RETRY_MS);
  }
}

/** Load from several producers at once: as fast as acknowledgements allow, or at a rate that does not wait for them. */
import { setTimeout as delay } from 'node:timers/promises';
import type {
  AuditServiceClient,
  IngestEventsRequest,
  IngestEventsResponse,
} from '@sentinel/contracts/sentinel/v1/audit.js';
import type { SentinelError } from '@sentinel/service-kit/errors';
import type { VerifierKey } from '../note/keys.js';
import { AckCheck } from './ack-check.js';
import { Latencies } from './latencies.js';
import { Producer } from './producer.js';
import { testEvents } from './test-events.js';

/** Grain of a paced load. */
const TICK_MS = 1;

export interface LoadOptions {
  readonly connect: () => AuditServiceClient;
  readonly key: VerifierKey;
  /** Names this load in its entries. */
  readonly run: string;
  readonly producers: number;
  readonly eventsPerRequest: number;
  /** Events a second over all producers; 0: as many as are acknowledged. */
  readonly rate: number;
  /** Events that one producer has under way at most; a paced load leaves out what is due beyond it. */
  readonly windowEvents: number;
  readonly onAck?: (request: IngestEventsRequest, response: IngestEventsResponse) => void;
}

export class Load {
  readonly check: AckCheck;
  /** From when a request was due until it was acknowledged. */
  latencies = new Latencies();
  /** Refusals by the name of their code. */
  readonly refusals = new Map<string, number>();
  /** Refusals that say when to come back. */
  refusalsWithRetry = 0;
  /** Events that a paced load could not offer, its windows being full. */
  leftOut = 0;
  readonly #options: LoadOptions;
  readonly #producers: Producer[];
  readonly #numbers: number[];
  #over = false;
  #pacing: Promise<void> = Promise.resolve();

  constructor(options: LoadOptions) {
    this.#options = options;
    this.check = new AckCheck(options.key);
    this.#numbers = Array.from({ length: options.producers }, () => 1);
    this.#producers = this.#numbers.map(
      (_, i) =>
        new Producer(options.connect, {
          acked: (request, response, ms) => {
            this.check.take(request, response);
            options.onAck?.(request, response);
            this.latencies.add(ms);
            if (options.rate === 0) this.#fill(i);
          },
          refused: (error) => this.#refused(error),
        }),
    );
  }

  get acked(): number {
    return this.check.acked;
  }

  get unacked(): number {
    return this.#producers.reduce((sum, { unackedEvents }) => sum + unackedEvents, 0);
  }

  start(): void {
    if (this.#options.rate === 0) this.#producers.forEach((_, i) => this.#fill(i));
    else this.#pacing = this.#pace();
  }

  /** Sends nothing new and waits for what is under way. */
  async finish(limitMs: number): Promise<void> {
    this.#over = true;
    await this.#pacing;
    await Promise.all(this.#producers.map((producer) => producer.finish(limitMs)));
  }

  #fill(index: number): void {
    const { windowEvents, eventsPerRequest } = this.#options;
    const producer = this.#producers[index];
    while (!this.#over && producer !== undefined && producer.unackedEvents + eventsPerRequest <= windowEvents)
      producer.send(this.#request(index));
  }

  async #pace(): Promise<void> {
    const { rate, eventsPerRequest, producers, windowEvents } = this.#options;
    const started = performance.now();
    for (let sent = 0; !this.#over; await delay(TICK_MS)) {
      const due = Math.floor((((performance.now() - started) / 1000) * rate) / eventsPerRequest);
      for (; sent < due; sent += 1) {
        const index = sent % producers;
        const producer = this.#producers[index];
        if (producer === undefined || producer.unackedEvents + eventsPerRequest > windowEvents)
          this.leftOut += eventsPerRequest;
        else producer.send(this.#request(index), started + ((sent + 1) * eventsPerRequest * 1000) / rate);
      }
    }
  }

  #request(index: number): IngestEventsRequest {
    const { run, eventsPerRequest } = this.#options;
    const first = this.#numbers[index] ?? 1;
    this.#numbers[index] = first + eventsPerRequest;
    return {
      producer: `hammer/${run}-${index}`,
      producerEpoch: 1n,
      firstSequence: BigInt(first),
      events: testEvents(run, first, eventsPerRequest, Date.now() * 1000),
    };
  }

  #refused({ code, retryAfterMs }: SentinelError): void {
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
    if (retryAfterMs > 0) this.refusalsWithRetry += 1;
  }
}

import { type AnomalyEvent, AnomalySeverity } from '@sentinel/contracts/sentinel/v1/anomaly.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Logger } from '@sentinel/service-kit/logging';
import type { AnomalyPayload } from '../uplink/anomaly-spool.js';
import { type Class, RateBound } from './rate-bound.js';

/** Events of one record, as the engine takes them. */
const MAX_EVENTS = 256;

/** Where the monitor has no setting for it. */
const BATCH: Batch = { events: MAX_EVENTS, flushMs: 200 };

export interface Batch {
  /** Of one record, at most; never more than 256. */
  readonly events: number;
  /** A record is made so long after its first event. */
  readonly flushMs: number;
}

/** Why a finding did not go to the engine. */
export const NOT_SENT = ['info', 'repeated', 'too_many', 'spool_full', 'elsewhere'] as const;
export type NotSent = (typeof NOT_SENT)[number];

export interface OutboxParts {
  readonly buildId: string;
  /** Durable when resolved. @throws SentinelError RESOURCE_EXHAUSTED where there is no room */
  readonly append: (payload: AnomalyPayload) => Promise<unknown>;
  /** Is there room for other than comparisons of bits? */
  readonly hasRoom: () => boolean;
  readonly onAppended: () => void;
  readonly onNotSent: (reason: NotSent, events: number) => void;
  /** The spool takes nothing any more. */
  readonly onLost: (error: unknown) => void;
  readonly nowMs: () => number;
  readonly nowUs: () => bigint;
  /** As it is now. */
  readonly batch?: () => Batch;
  readonly log: Logger;
}

/** An anomaly, and what tells it from others of its kind. */
export interface Told {
  readonly event: AnomalyEvent;
  /** What it is about, without its time. */
  readonly key: string;
  readonly testBuild: boolean;
}

/** That those who answered agree again is no anomaly. */
export function isAgreement({ comparison, severity }: AnomalyEvent): boolean {
  return comparison !== undefined && severity === AnomalySeverity.INFO;
}

function classOf({ comparison, saved, loaded }: AnomalyEvent): Class {
  if (saved !== undefined) return 'saved';
  if (loaded !== undefined) return 'loaded';
  return comparison === undefined ? 'soft' : 'hard';
}

/** Makes durable records of anomalies: bounded in rate, those that come together in one record. */
export class Outbox {
  readonly #parts: OutboxParts;
  readonly #bound = new RateBound();
  readonly #pending = { plain: [] as AnomalyEvent[], injected: [] as AnomalyEvent[] };
  #timer: NodeJS.Timeout | null = null;
  #appending: Promise<void> = Promise.resolve();

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  /** False where it was dropped, and counted. */
  take({ event, key, testBuild }: Told): boolean {
    const { hasRoom, onNotSent, nowMs, log } = this.#parts;
    const isHard = event.comparison !== undefined;
    // What finds no room is not bounded in rate: it has not been told, and may be once there is.
    const bounded = () => this.#bound.refuse(`${key}\0${isAgreement(event)}`, classOf(event), event.severity, nowMs());
    const reason = isHard || hasRoom() ? bounded() : 'spool_full';
    if (reason !== null) {
      onNotSent(reason, 1);
      return false;
    }
    const { source, gpus, job, detail } = event;
    if (!isAgreement(event) && event.saved === undefined && event.loaded === undefined)
      log.warn({ source, job: job?.id, gpus, step: Number(job?.step ?? 0) }, detail);
    const events = testBuild ? this.#pending.injected : this.#pending.plain;
    events.push(event);
    const batch = this.#parts.batch?.() ?? BATCH;
    if (events.length >= Math.min(MAX_EVENTS, batch.events)) void this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), batch.flushMs);
    return true;
  }

  /** Resolves when what was taken is durable or dropped. */
  async flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const { plain, injected } = this.#pending;
    for (const [events, testBuild] of [[plain.splice(0), false] as const, [injected.splice(0), true] as const]) {
      if (events.length > 0) this.#appending = this.#appending.then(() => this.#append(events, testBuild));
    }
    await this.#appending;
  }

  async #append(events: AnomalyEvent[], testBuild: boolean): Promise<void> {
    const { append, buildId, nowUs, onAppended, onNotSent, onLost, log } = this.#parts;
    try {
      await append({ createdUs: nowUs(), buildId, testBuild, events });
      onAppended();
    } catch (error) {
      const known = SentinelError.from(error);
      onNotSent('spool_full', events.length);
      if (known.code !== 'RESOURCE_EXHAUSTED') return onLost(error);
      log.error({ events: events.length }, `anomalies are dropped: ${known.sentence}`);
    }
  }
}

import type { AnomalyEvent } from '@sentinel/contracts/sentinel/v1/anomaly.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Logger } from '@sentinel/service-kit/logging';
import type { Finding } from '../analysers/finding.js';
import type { Sender } from '../grouping/record.js';
import type { AnomalyPayload } from '../uplink/anomaly-spool.js';
import type { Devices } from './devices.js';
import { eventOf } from './event.js';
import { RateBound } from './rate-bound.js';

/** Events that wait for one record. */
const MAX_PENDING = 256;

/** A record is made so long after its first event. */
const FLUSH_MS = 200;

/** Ranks that tell one finding from another. */
const MAX_NAMED = 32;

/** Why a finding did not go to the engine. */
export const NOT_SENT = ['info', 'repeated', 'too_many', 'spool_full', 'elsewhere'] as const;
export type NotSent = (typeof NOT_SENT)[number];

export interface ReporterParts {
  readonly devices: Devices;
  readonly buildId: string;
  /** Durable when resolved. @throws SentinelError RESOURCE_EXHAUSTED where there is no room */
  readonly append: (payload: AnomalyPayload) => Promise<unknown>;
  /** Is there room for other than comparisons of bits? */
  readonly hasRoom: () => boolean;
  readonly onAppended: () => void;
  readonly onFinding: (finding: Finding) => void;
  readonly onNotSent: (reason: NotSent, events: number) => void;
  /** The spool takes nothing any more. */
  readonly onLost: (error: unknown) => void;
  readonly nowMs: () => number;
  readonly nowUs: () => bigint;
  readonly log: Logger;
}

/** Makes durable records of what the analysers found. */
export class Reporter {
  readonly #parts: ReporterParts;
  readonly #bound = new RateBound();
  readonly #pending = { plain: [] as AnomalyEvent[], injected: [] as AnomalyEvent[] };
  #timer: NodeJS.Timeout | null = null;
  #appending: Promise<void> = Promise.resolve();

  constructor(parts: ReporterParts) {
    this.#parts = parts;
  }

  readonly take = (job: Sender, finding: Finding): void => {
    const { devices, hasRoom, onFinding, onNotSent, nowMs, nowUs, log } = this.#parts;
    const { detector, severity, ranks, step, detail, compared } = finding;
    const isHard = compared !== undefined;
    // That ranks agree again is no anomaly.
    const isAgreement = isHard && severity === 'INFO';
    if (!isAgreement) onFinding(finding);
    if (severity === 'INFO' && !isHard) {
      log.info({ job: job.jobId, detector, ranks: ranks.slice(0, 8), step }, detail);
      return onNotSent('info', 1);
    }
    const event = eventOf(job, finding, devices, nowUs());
    if (event === null) return onNotSent('elsewhere', 1);
    const who = [ranks.length, ...ranks.slice(0, MAX_NAMED)].join(',');
    const key = [job.jobId, job.runId, detector, isAgreement, who].join('\0');
    const refusal = this.#bound.refuse(key, isHard, nowMs());
    if (refusal !== null) return onNotSent(refusal, 1);
    if (!isHard && !hasRoom()) return onNotSent('spool_full', 1);
    if (!isAgreement) log.warn({ job: job.jobId, detector, severity, gpus: event.gpus, step }, detail);
    this.#add(event, job.testBuild);
  };

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

  #add(event: AnomalyEvent, testBuild: boolean): void {
    const events = testBuild ? this.#pending.injected : this.#pending.plain;
    events.push(event);
    if (events.length >= MAX_PENDING) void this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS);
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

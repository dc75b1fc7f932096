import type { AgentEvent_Kind, TelemetrySample, UplinkPayload } from '@sentinel/contracts/sentinel/v1/probe.js';
import type { Clock } from '@sentinel/service-kit/clock';
import type { ProbeRun } from '../execution/run.js';
import { type RunGroup, toBatch } from './columns.js';

/** Makes a payload durable; retries what may pass and rejects only when the agent is stopping. */
export type AppendRecord = (payload: UplinkPayload) => Promise<void>;

export interface ReporterOptions {
  readonly buildId: string;
  readonly testBuild: boolean;
  /** Runs in one record at most; a mismatch and what belongs to it is never divided. */
  readonly batchSize: number;
  /** Longest time that a run waits for its record to fill. */
  readonly flushIntervalMs: number;
  readonly smsOf: (deviceId: string) => readonly number[];
  readonly clock: Clock;
  readonly append: AppendRecord;
}

/** Collects runs into records and puts them, and the agent's events, into the spool in the order in which they happened. */
export class Reporter {
  readonly #options: ReporterOptions;
  #groups: RunGroup[] = [];
  #runs = 0;
  #timer: NodeJS.Timeout | undefined;
  #writes: Promise<void> = Promise.resolve();

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /** Takes the runs of one seed. A mismatch is durable when this returns; passing runs follow within the flush interval. */
  async runs(group: readonly ProbeRun[]): Promise<void> {
    this.#groups.push(group);
    this.#runs += group.length;
    const urgent = group.some(({ results }) => results.some(({ mismatch }) => mismatch !== null));
    if (urgent || this.#runs >= this.#options.batchSize) {
      await this.flush();
    } else {
      this.#timer ??= setTimeout(() => void this.flush(), this.#options.flushIntervalMs);
    }
  }

  event(kind: AgentEvent_Kind, deviceId: string, detail: string): Promise<void> {
    const timeUs = this.#options.clock.nowUs();
    return this.#write({ $case: 'events', value: { events: [{ kind, timeUs, deviceId, detail }] } });
  }

  /** Samples of one round; durable when this returns. */
  telemetry(samples: TelemetrySample[]): Promise<void> {
    return this.#write({ $case: 'telemetry', value: { samples } });
  }

  /** Writes what is waiting; resolves when it is durable, or given up because the agent stops. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#groups.length === 0) return this.#writes;
    const groups = this.#groups;
    this.#groups = [];
    this.#runs = 0;
    return this.#write({ $case: 'probeBatch', value: toBatch(groups, this.#options.smsOf) });
  }

  #write(body: NonNullable<UplinkPayload['body']>): Promise<void> {
    const { buildId, testBuild, clock, append } = this.#options;
    const payload: UplinkPayload = { createdUs: clock.nowUs(), buildId, testBuild, body };
    this.#writes = this.#writes.then(() => append(payload));
    return this.#writes;
  }
}

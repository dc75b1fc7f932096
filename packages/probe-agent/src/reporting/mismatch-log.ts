import { RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import type { Clock } from '@sentinel/service-kit/clock';
import type { Logger } from '@sentinel/service-kit/logging';
import type { ProbeRun } from '../execution/run.js';
import { nameOf } from '../names.js';
import { siblingCounts } from './siblings.js';

/** A unit that fails all the time is named once in so long. */
const QUIET_MS = 10_000;

/** Units that are remembered; beyond it the oldest is forgotten and would be named again. */
const MAX_UNITS = 1_024;

interface Silence {
  readonly untilMs: number;
  /** Mismatches that were not named meanwhile. */
  more: number;
}

/** Names wrong results in the log, each unit at most once every ten seconds. */
export class MismatchLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #silences = new Map<string, Silence>();

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Takes the runs of one seed. */
  group(group: readonly ProbeRun[]): void {
    for (const run of group) {
      for (const { sm, mismatch } of run.results) {
        if (mismatch === null) continue;
        const more = this.#mayName(`${run.deviceId} ${run.family} ${sm}`);
        if (more === undefined) continue;
        const { lane, iteration, actualDigest, mismatchCount, place } = mismatch;
        const { run: siblings, passed } = siblingCounts(sm, actualDigest, group);
        const { deviceId: device, family, epoch, index } = run;
        const where = { device, family, sm, kind: nameOf(RunKind, run.kind), epoch, index, lane, iteration };
        this.#log.warn(
          { ...where, ...place, mismatchCount, siblings, siblingsPassed: passed, notNamed: more },
          'wrong result',
        );
      }
    }
  }

  /** Undefined = not now; else how many went unnamed. */
  #mayName(unit: string): number | undefined {
    const nowMs = this.#clock.monotonicMs();
    const silence = this.#silences.get(unit);
    if (silence !== undefined && nowMs < silence.untilMs) {
      silence.more += 1;
      return undefined;
    }
    this.#silences.delete(unit);
    this.#silences.set(unit, { untilMs: nowMs + QUIET_MS, more: 0 });
    const [oldest] = this.#silences.keys();
    if (this.#silences.size > MAX_UNITS && oldest !== undefined) this.#silences.delete(oldest);
    return silence?.more ?? 0;
  }
}

import type { FamilyName } from '../families.js';

/** How often a family should reach each SM of a device. */
export interface CoverageTarget {
  readonly deviceId: string;
  readonly family: FamilyName;
  readonly sms: readonly number[];
  /** Time within which every SM is due once. */
  readonly dueMs: number;
}

export interface FamilyCoverage {
  readonly family: FamilyName;
  /** Of the SM that has waited longest, on any device, seconds. */
  readonly maxAgeSeconds: number;
  /** SMs that ran within their due time, of those that should. */
  readonly dueRatio: number;
}

export interface DeviceCoverage {
  readonly device: string;
  readonly families: readonly {
    readonly family: FamilyName;
    readonly dueSeconds: number;
    /** Seconds since each SM last ran to a PASS or FAIL; null = not since the agent started. */
    readonly ages: readonly { readonly sm: number; readonly seconds: number | null }[];
  }[];
}

/** Share of the due time that a run may be late before its SM counts as overdue: a period has jitter. */
const SLACK = 0.5;

/**
 * When each SM last ran each family. Whatever kept it from running (NOT_RUN, a hang, a pause), its age grows; one that never ran is
 * as old as its target. Times are milliseconds of one monotonic clock.
 */
export class CoverageMap {
  #targets: readonly CoverageTarget[] = [];
  readonly #ran = new Map<string, number>();
  readonly #since = new Map<string, number>();

  /** What should be covered from now on. */
  expect(targets: readonly CoverageTarget[], nowMs: number): void {
    this.#targets = targets;
    const keys = new Set(targets.flatMap(({ deviceId, family, sms }) => sms.map((sm) => keyOf(deviceId, family, sm))));
    for (const map of [this.#ran, this.#since]) for (const key of map.keys()) if (!keys.has(key)) map.delete(key);
    for (const key of keys) if (!this.#since.has(key)) this.#since.set(key, nowMs);
  }

  ran(deviceId: string, family: FamilyName, sms: readonly number[], nowMs: number): void {
    for (const sm of sms) {
      const key = keyOf(deviceId, family, sm);
      if (this.#since.has(key)) this.#ran.set(key, nowMs);
    }
  }

  families(nowMs: number): FamilyCoverage[] {
    const names = [...new Set(this.#targets.map(({ family }) => family))];
    return names.map((family) => {
      const targets = this.#targets.filter((target) => target.family === family);
      const ages = targets.flatMap((target) =>
        target.sms.map((sm) => ({ ageMs: this.#ageMs(target, sm, nowMs), dueMs: target.dueMs * (1 + SLACK) })),
      );
      const inTime = ages.filter(({ ageMs, dueMs }) => ageMs <= dueMs).length;
      return {
        family,
        maxAgeSeconds: Math.max(0, ...ages.map(({ ageMs }) => ageMs)) / 1000,
        dueRatio: ages.length === 0 ? 0 : inTime / ages.length,
      };
    });
  }

  devices(nowMs: number): DeviceCoverage[] {
    const ids = [...new Set(this.#targets.map(({ deviceId }) => deviceId))];
    return ids.map((device) => ({
      device,
      families: this.#targets
        .filter(({ deviceId }) => deviceId === device)
        .map(({ family, sms, dueMs }) => ({
          family,
          dueSeconds: dueMs / 1000,
          ages: sms.map((sm) => {
            const ranMs = this.#ran.get(keyOf(device, family, sm));
            return { sm, seconds: ranMs === undefined ? null : Math.round(nowMs - ranMs) / 1000 };
          }),
        })),
    }));
  }

  #ageMs({ deviceId, family }: CoverageTarget, sm: number, nowMs: number): number {
    const key = keyOf(deviceId, family, sm);
    return nowMs - (this.#ran.get(key) ?? this.#since.get(key) ?? nowMs);
  }
}

function keyOf(deviceId: string, family: FamilyName, sm: number): string {
  return `${deviceId} ${family} ${sm}`;
}

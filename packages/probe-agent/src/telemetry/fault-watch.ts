import type { LoudFault, LoudFaultKind, Reading } from './reading.js';

/** Counters that only a loud fault moves. Of the ECC counters the volatile ones: they begin at zero with the driver. */
const COUNTERS: readonly (readonly [field: string, kind: LoudFaultKind, what: string])[] = [
  ['machine_checks', 'machine_check', 'machine checks'],
  ['memory_uncorrected_errors', 'ecc', 'uncorrectable memory errors of the machine'],
  ['ecc_uncorrected_volatile_total', 'ecc', 'uncorrectable ECC errors'],
];

/** Keeps when each device last had a loud fault, and finds new ones in its counters. */
export class FaultWatch {
  readonly #before = new Map<string, Readonly<Record<string, number>>>();
  readonly #lastMs = new Map<string, number>();
  readonly #lost = new Set<string>();

  /** Compares counters with those of the reading before; the first reading is what later ones are held against. */
  observe(deviceId: string, { values }: Reading, monoMs: number): LoudFault[] {
    const before = this.#before.get(deviceId);
    this.#before.set(deviceId, { ...before, ...values });
    const faults = COUNTERS.flatMap(([field, kind, what]) => {
      const rise = (values[field] ?? 0) - (before?.[field] ?? values[field] ?? 0);
      // A counter that fell began anew.
      return rise > 0 ? [{ kind, deviceId, detail: `${what}: ${rise} more` }] : [];
    });
    if (faults.length > 0) this.note(deviceId, monoMs);
    return faults;
  }

  /** The driver does or does not say that the device is gone; a fault when that is new. */
  lost(deviceId: string, lost: boolean, detail: string, monoMs: number): LoudFault[] {
    if (!lost) {
      this.#lost.delete(deviceId);
      return [];
    }
    this.note(deviceId, monoMs);
    if (this.#lost.has(deviceId)) return [];
    this.#lost.add(deviceId);
    return [{ kind: 'lost', deviceId, detail }];
  }

  /** A loud fault that was learned of in another way. */
  note(deviceId: string, monoMs: number): void {
    this.#lastMs.set(deviceId, monoMs);
  }

  /** Whether the device had a loud fault since `sinceMs`. */
  since(deviceId: string, sinceMs: number): boolean {
    return (this.#lastMs.get(deviceId) ?? Number.NEGATIVE_INFINITY) >= sinceMs;
  }
}

import type { FamilyName } from '../families.js';

/** Cost assumed before a family has run here, microseconds of one CPU: pass and golden together [estimate, probes design section 5]. */
const FIRST_ESTIMATE_US = 3_000;

/** Share of the old estimate that stays when a run was cheaper; a dearer run counts at once. */
const DECAY = 0.9;

/** What one execution of each family costs the CPU that pays most. */
export class CostEstimates {
  readonly #us = new Map<FamilyName, number>();

  of(family: FamilyName): number {
    return this.#us.get(family) ?? FIRST_ESTIMATE_US;
  }

  observe(family: FamilyName, us: number): void {
    this.#us.set(family, Math.max(us, this.of(family) * DECAY + us * (1 - DECAY)));
  }
}

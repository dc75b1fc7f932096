/** Balance that a unit of account may save up, microseconds: short work need not wait for its own cost to accrue. */
export const BUDGET_CAPACITY_US = 5_000;

interface Balance {
  us: number;
  atMs: number;
}

/**
 * A token bucket in microseconds for each unit of account: a logical CPU, or a GPU. Work starts only where every unit that it uses can
 * pay the estimate; what it really took is charged afterwards and may leave a debt, which the unit earns back before anything else starts. So the share used
 * over any time is at most `pct`, plus one capacity, plus the debt of the last thing that ran.
 *
 * Times are milliseconds of one monotonic clock.
 */
export class Budget {
  readonly #usPerMs: number;
  readonly #balances = new Map<number, Balance>();

  constructor(pct: number) {
    this.#usPerMs = pct * 10;
  }

  balance(unit: number, nowMs: number): number {
    return this.#accrue(unit, nowMs).us;
  }

  charge(unit: number, us: number, nowMs: number): void {
    this.#accrue(unit, nowMs).us -= us;
  }

  /** When every one of `units` can pay `costUs`; `nowMs` if they can now. */
  readyAtMs(units: Iterable<number>, costUs: number, nowMs: number): number {
    const needed = Math.min(costUs, BUDGET_CAPACITY_US);
    let waitMs = 0;
    for (const unit of units) {
      const missing = needed - this.#accrue(unit, nowMs).us;
      if (missing > 0) waitMs = Math.max(waitMs, missing / this.#usPerMs);
    }
    return nowMs + waitMs;
  }

  #accrue(unit: number, nowMs: number): Balance {
    let balance = this.#balances.get(unit);
    if (balance === undefined) {
      balance = { us: BUDGET_CAPACITY_US, atMs: nowMs };
      this.#balances.set(unit, balance);
    }
    const elapsed = Math.max(0, nowMs - balance.atMs);
    balance.us = Math.min(BUDGET_CAPACITY_US, balance.us + elapsed * this.#usPerMs);
    balance.atMs = Math.max(balance.atMs, nowMs);
    return balance;
  }
}

/** Source of time: an argument of everything that needs it, so that tests and replay own it. */
export interface Clock {
  /** Wall clock, microseconds since the Unix epoch. */
  nowUs(): bigint;
  /** Never goes back; milliseconds from an arbitrary origin. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  nowUs: () => BigInt(Date.now()) * 1000n,
  monotonicMs: () => performance.now(),
};

/** A clock that moves only when told. */
export class ManualClock implements Clock {
  #us: bigint;

  constructor(startUs = 1_700_000_000_000_000n) {
    this.#us = startUs;
  }

  nowUs(): bigint {
    return this.#us;
  }

  monotonicMs(): number {
    return Number(this.#us / 1000n);
  }

  advanceMs(ms: number): void {
    this.#us += BigInt(Math.round(ms * 1000));
  }
}

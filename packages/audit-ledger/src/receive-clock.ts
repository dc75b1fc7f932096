/**
 * When entries are received. A received time never decreases, so one moment of a wrong clock would stamp every later entry with it:
 * after a jump the time goes on as it went before, until the clock has stood by its new time for a while.
 */

/** Less is a correction, as NTP makes them. */
const MAX_STEP_US = 60e6;
/** Of two clocks that go by themselves: 1,000 ppm. */
const DRIFT = 1e-3;
/** A machine that slept, or was set right, is believed after this. */
export const SETTLE_US = 300e6;

export interface ClockSource {
  /** Microseconds since the Unix epoch. */
  readonly wallUs: () => number;
  /** Never jumps; from any origin. */
  readonly monotonicUs: () => number;
}

export const SYSTEM_CLOCK: ClockSource = {
  wallUs: () => Date.now() * 1000,
  monotonicUs: () => performance.now() * 1000,
};

export class ReceiveClock {
  readonly #source: ClockSource;
  /** @param aheadUs by which the clock went ahead, or, where negative, back */
  readonly #jumped: (aheadUs: number) => void;
  #trusted: { wall: number; monotonic: number };
  /** Wall less monotonic time since a jump. */
  #doubted: { offset: number; since: number } | undefined;

  constructor(source: ClockSource, jumped: (aheadUs: number) => void) {
    this.#source = source;
    this.#jumped = jumped;
    this.#trusted = { wall: source.wallUs(), monotonic: source.monotonicUs() };
  }

  nowUs(): number {
    const [wall, monotonic] = [this.#source.wallUs(), this.#source.monotonicUs()];
    const elapsed = monotonic - this.#trusted.monotonic;
    const expected = this.#trusted.wall + elapsed;
    if (Math.abs(wall - expected) <= MAX_STEP_US + DRIFT * elapsed || this.#isSettled(wall, monotonic, expected)) {
      this.#trusted = { wall, monotonic };
      this.#doubted = undefined;
      return wall;
    }
    return Math.round(expected);
  }

  #isSettled(wall: number, monotonic: number, expected: number): boolean {
    const offset = wall - monotonic;
    if (this.#doubted === undefined || Math.abs(offset - this.#doubted.offset) > MAX_STEP_US) {
      this.#doubted = { offset, since: monotonic };
      this.#jumped(wall - expected);
    }
    return monotonic - this.#doubted.since >= SETTLE_US;
  }
}

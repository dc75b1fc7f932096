import type { Clock } from '@sentinel/service-kit/clock';

/** The engine's wall clock as this agent knows it: its own plus the difference at the last hello. Microseconds since the Unix epoch. */
export class EngineClock {
  readonly #clock: Clock;
  #aheadUs = 0n;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The engine's clock was this when the connection was made. */
  synchronise(engineTimeUs: bigint): void {
    this.#aheadUs = engineTimeUs - this.#clock.nowUs();
  }

  nowUs(): bigint {
    return this.#clock.nowUs() + this.#aheadUs;
  }

  /** What the agent's own clock shows at that moment. */
  toLocalUs(engineTimeUs: bigint): bigint {
    return engineTimeUs - this.#aheadUs;
  }
}

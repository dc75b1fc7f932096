import type { Random } from '../random.js';
import type { EnvironmentSpec, Fault } from '../scenario/scenario.js';
import { HOUR_US, hourOfDay, temperatureAt } from '../world/environment.js';

const MINUTES_PER_HOUR = 60;

/** Failure probability per execution over time, of one fault on one device. Ask with times that never go back. */
export class FailureRate {
  readonly #fault: Fault;
  readonly #environment: EnvironmentSpec;
  readonly #onsetUs: number;
  readonly #bursts: Bursts | null;
  endUs: number;

  /** @param originUs time 0 of the scenario: a midnight */
  constructor(
    fault: Fault,
    environment: EnvironmentSpec,
    random: Random,
    times: { originUs: number; onsetUs: number },
  ) {
    this.#fault = fault;
    this.#environment = environment;
    this.#onsetUs = times.onsetUs;
    this.endUs = fault.stopHours === null ? Number.POSITIVE_INFINITY : times.originUs + fault.stopHours * HOUR_US;
    const { burstsPerHour: enter, burstEndsPerHour: leave } = fault;
    this.#bursts = enter > 0 ? new Bursts(random, enter / HOUR_US, leave / HOUR_US, times.onsetUs) : null;
  }

  get onsetUs(): number {
    return this.#onsetUs;
  }

  /** No rate is ever above it. */
  get highest(): number {
    const { heat, heatReference, rate } = this.#fault;
    const { coolC, hotC } = this.#environment;
    return Math.min(1, rate * Math.exp(Math.max(heat * (coolC - heatReference), heat * (hotC - heatReference))));
  }

  at(us: number): number {
    const { heat, heatReference, rate, minutesPerHour, fromHour, untilHour, rampHours } = this.#fault;
    if (us < this.#onsetUs || us >= this.endUs) return 0;
    const hour = hourOfDay(us);
    if (hour < fromHour || hour >= untilHour) return 0;
    if ((hour % 1) * MINUTES_PER_HOUR >= minutesPerHour) return 0;
    if (this.#bursts !== null && !this.#bursts.activeAt(us)) return 0;
    const ramp = rampHours === 0 ? 1 : Math.min(1, (us - this.#onsetUs) / (rampHours * HOUR_US));
    return Math.min(1, rate * ramp * Math.exp(heat * (temperatureAt(this.#environment, us) - heatReference)));
  }
}

/** Two states of exponential length (Gilbert 1960, Elliott 1963): the fault acts in one of them. */
class Bursts {
  readonly #random: Random;
  readonly #enter: number;
  readonly #leave: number;
  #active = false;
  #changeUs: number;

  constructor(random: Random, enterPerUs: number, leavePerUs: number, fromUs: number) {
    this.#random = random;
    this.#enter = enterPerUs;
    this.#leave = leavePerUs;
    this.#changeUs = fromUs + random.exponential(enterPerUs);
  }

  activeAt(us: number): boolean {
    while (us >= this.#changeUs) {
      this.#active = !this.#active;
      this.#changeUs += this.#random.exponential(this.#active ? this.#leave : this.#enter);
    }
    return this.#active;
  }
}

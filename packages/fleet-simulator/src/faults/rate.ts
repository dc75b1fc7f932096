import type { Random } from '../random.js';
import type { EnvironmentSpec, Fault } from '../scenario/scenario.js';
import { HOUR_US, hourOfDay, temperatureAt } from '../world/environment.js';

const MINUTES_PER_HOUR = 60;

/** Failure probability per execution over time, of one fault on one device. */
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

/** Two states of exponential length (Gilbert 1960, Elliott 1963): the fault acts in one of them. Ask for any time from the onset on. */
class Bursts {
  readonly #random: Random;
  readonly #enter: number;
  readonly #leave: number;
  /** When the state changed, from the first bad one on: what comes next is looked for before what is now happens. */
  readonly #changesUs: number[];

  constructor(random: Random, enterPerUs: number, leavePerUs: number, fromUs: number) {
    this.#random = random;
    this.#enter = enterPerUs;
    this.#leave = leavePerUs;
    this.#changesUs = [fromUs + random.exponential(enterPerUs)];
  }

  activeAt(us: number): boolean {
    const changes = this.#changesUs;
    for (let last = changes.at(-1) ?? 0; us >= last; last = changes.at(-1) ?? Number.POSITIVE_INFINITY) {
      const isBad = changes.length % 2 === 1;
      changes.push(last + this.#random.exponential(isBad ? this.#leave : this.#enter));
    }
    return countUntil(changes, us) % 2 === 1;
  }
}

/** How many of these ascending times are not later. */
function countUntil(times: readonly number[], us: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? 0) <= us) low = middle + 1;
    else high = middle;
  }
  return low;
}

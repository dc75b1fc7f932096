/** Hours of a period in which nobody said anything. */
import type { Tallied } from './model.js';
import { isoOf } from './values.js';

const HOUR_US = 3_600_000_000;
/** Ranges listed; all are counted. */
const MAX_RANGES = 500;

export class Hours {
  readonly #heard = new Set<number>();

  add(receivedUs: number): void {
    this.#heard.add(Math.floor(receivedUs / HOUR_US));
  }

  /** Hours of the clock that [fromUs, toUs] touches. */
  finish(fromUs: number, toUs: number): Tallied['hours'] {
    const [first, last] = [Math.floor(fromUs / HOUR_US), Math.floor(toUs / HOUR_US)];
    const ranges: [number, number][] = [];
    let silent = 0;
    for (let hour = first; hour <= last; hour += 1) {
      if (this.#heard.has(hour)) continue;
      silent += 1;
      const range = ranges.at(-1);
      if (range?.[1] === hour) range[1] = hour + 1;
      else ranges.push([hour, hour + 1]);
    }
    return {
      from: isoOf(first * HOUR_US),
      to: isoOf((last + 1) * HOUR_US),
      total: last - first + 1,
      silent,
      silent_ranges: ranges.slice(0, MAX_RANGES).map(([a, b]) => [isoOf(a * HOUR_US), isoOf(b * HOUR_US)]),
    };
  }
}

import type { EnvironmentSpec } from '../scenario/scenario.js';

export const HOUR_US = 3_600_000_000;
const DAY_HOURS = 24;
/** Time 0 of every scenario, after its warm-up: a midnight (UTC). */
export const ORIGIN_US = 20_834 * DAY_HOURS * HOUR_US;

/** Hour of the day, [0, 24), of a time in microseconds since an instant at midnight. */
export function hourOfDay(us: number): number {
  return (us / HOUR_US) % DAY_HOURS;
}

/** GPU temperature, degrees Celsius. */
export function temperatureAt({ coolC, hotC, hotFrom, hotUntil }: EnvironmentSpec, us: number): number {
  const hour = hourOfDay(us);
  return hour >= hotFrom && hour < hotUntil ? hotC : coolC;
}

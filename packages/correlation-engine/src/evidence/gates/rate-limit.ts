import type { GateSettings } from '../model/settings.js';
import type { GateAnswer } from './outcome.js';

const HOUR_US = 3_600_000_000;
export const DAY_US = 24 * HOUR_US;

/** How much of the limit is used. */
export interface RateLimitUse {
  hour: Window;
  day: Window;
}

/** Automatic quarantines and cordons of the whole fleet, per hour and per day. */
export function rateLimitUse(
  settings: GateSettings,
  devices: number,
  quarantinesUs: readonly number[],
  nowUs: number,
): RateLimitUse {
  const { hour_min, hour_fraction, day_min, day_fraction } = settings.rate_limit;
  return {
    hour: window(quarantinesUs, nowUs, HOUR_US, Math.floor(Math.max(hour_min, hour_fraction * devices))),
    day: window(quarantinesUs, nowUs, DAY_US, Math.floor(Math.max(day_min, day_fraction * devices))),
  };
}

/** When time alone makes room for the next; null = there is room, or a limit of 0 never has any. */
export function roomUs({ hour, day }: RateLimitUse): number | null {
  const full = [hour, day].filter((entry) => entry.used >= entry.limit);
  if (full.length === 0 || full.some((entry) => entry.limit === 0)) return null;
  return Math.max(...full.map((entry) => entry.freeUs));
}

/** Gate 7: is there room for one more? `dueUs` = when time alone opens it. */
export function rateLimitGate(
  settings: GateSettings,
  devices: number,
  quarantinesUs: readonly number[],
  nowUs: number,
): GateAnswer & { dueUs: number | null } {
  const use = rateLimitUse(settings, devices, quarantinesUs, nowUs);
  const { hour, day } = use;
  const inputs = {
    devices: String(devices),
    quarantines_last_hour: `${hour.used} of ${hour.limit}`,
    quarantines_last_day: `${day.used} of ${day.limit}`,
  };
  const counts = `${hour.used} of ${hour.limit} automatic quarantines in the last hour and ${day.used} of ${day.limit} in the last day`;
  if (hour.used < hour.limit && day.used < day.limit)
    return { verdict: 'PASS', reason: `${counts} are used.`, inputs, dueUs: null };
  const reason =
    hour.limit === 0 || day.limit === 0
      ? 'The limit of automatic quarantines is 0, which holds all of them.'
      : `${counts} are used; more need an operator.`;
  return { verdict: 'HOLD', reason, inputs, dueUs: roomUs(use) };
}

export interface Window {
  used: number;
  limit: number;
  /** When enough of the used ones have left the window. */
  freeUs: number;
}

function window(quarantinesUs: readonly number[], nowUs: number, widthUs: number, limit: number): Window {
  const inside = quarantinesUs.filter((us) => us > nowUs - widthUs).sort((a, b) => a - b);
  const oldestToLeave = inside[inside.length - limit] ?? nowUs;
  return { used: inside.length, limit, freeUs: oldestToLeave + widthUs };
}

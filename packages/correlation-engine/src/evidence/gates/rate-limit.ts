import type { GateSettings } from '../model.js';
import type { GateAnswer } from './outcome.js';

const HOUR_US = 3_600_000_000;
export const DAY_US = 24 * HOUR_US;

/** Gate 7: automatic quarantines of the whole fleet, per hour and per day. `dueUs` = when time alone opens it. */
export function rateLimitGate(
  settings: GateSettings,
  devices: number,
  quarantinesUs: readonly number[],
  nowUs: number,
): GateAnswer & { dueUs: number | null } {
  const { hour_min, hour_fraction, day_min, day_fraction } = settings.rate_limit;
  const hour = window(quarantinesUs, nowUs, HOUR_US, Math.floor(Math.max(hour_min, hour_fraction * devices)));
  const day = window(quarantinesUs, nowUs, DAY_US, Math.floor(Math.max(day_min, day_fraction * devices)));
  const inputs = {
    devices: String(devices),
    quarantines_last_hour: `${hour.used} of ${hour.limit}`,
    quarantines_last_day: `${day.used} of ${day.limit}`,
  };
  const full = [hour, day].filter((entry) => entry.used >= entry.limit);
  const counts = `${hour.used} of ${hour.limit} automatic quarantines in the last hour and ${day.used} of ${day.limit} in the last day`;
  if (full.length === 0) return { verdict: 'PASS', reason: `${counts} are used.`, inputs, dueUs: null };
  if (full.some((entry) => entry.limit === 0)) {
    return {
      verdict: 'HOLD',
      reason: 'The limit of automatic quarantines is 0, which holds all of them.',
      inputs,
      dueUs: null,
    };
  }
  return {
    verdict: 'HOLD',
    reason: `${counts} are used; more need an operator.`,
    inputs,
    dueUs: Math.max(...full.map((entry) => entry.freeUs)),
  };
}

interface Window {
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

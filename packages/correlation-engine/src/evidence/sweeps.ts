import type { DeviceState } from './model/device.js';
import type { Exposure } from './model/unit.js';

const HOUR_US = 3_600_000_000;

/**
 * Tests seen lately, in sweeps of every family over every SM: all that ran, evenly over its life, each half forgotten after
 * the half-life. >= 0 and finite.
 */
export function effectiveSweeps(
  device: DeviceState,
  ran: Exposure | undefined,
  halfLifeHours: number,
  nowUs: number,
): number {
  const units = device.sms.length * device.families.length;
  if (ran === undefined || units === 0) return 0;
  const halfLives = (us: number): number => Math.max(0, us) / HOUR_US / halfLifeHours;
  const life = halfLives(ran.lastRunUs - ran.firstRunUs);
  const kept = life === 0 ? 1 : (1 - 2 ** -life) / (life * Math.LN2);
  return (ran.executions / units) * kept * 2 ** -halfLives(nowUs - ran.lastRunUs);
}

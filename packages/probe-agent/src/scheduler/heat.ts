import type { ContextSource, DeviceContext } from '../telemetry/context.js';

/** Share of a day's runs that should find the device in its hot bin: some faults come with heat alone. */
export const HOT_RUN_SHARE = 0.2;

/** A due run waits for heat at most this share of its period, and at most so long. */
const PATIENCE_SHARE = 0.25;
const MOST_PATIENCE_MS = 60_000;

/** How often a run that waits for heat looks again. */
export const HEAT_POLL_MS = 200;

/** Power that fell by this share since the reading before: a high-power window has ended, and the silicon is still hot. */
const WINDOW_END_SHARE = 0.25;

const HOUR_MS = 3_600_000;
const HOURS = 24;

export interface HeatMoment {
  /** Undefined where the device offers no telemetry. */
  readonly now: DeviceContext | undefined;
  /** Power at the reading before this one, watts. */
  readonly powerBeforeW: number | undefined;
  /** Of the last day's runs, those in the hot bin; undefined before the first. */
  readonly hotShare: number | undefined;
  readonly periodMs: number;
  readonly overdueMs: number;
}

/**
 * How long a due run should wait for heat, milliseconds; 0 = run now. It waits only where the device has a temperature, is not hot,
 * and had too few hot runs today, and never longer than its patience: coverage comes first.
 */
export function heatHoldMs({ now, powerBeforeW, hotShare, periodMs, overdueMs }: HeatMoment): number {
  if (now?.temperatureC === undefined || now.hot) return 0;
  if (hotShare !== undefined && hotShare >= HOT_RUN_SHARE) return 0;
  if (windowEnded(now.powerW, powerBeforeW)) return 0;
  const patienceMs = Math.min(periodMs * PATIENCE_SHARE, MOST_PATIENCE_MS);
  return overdueMs >= patienceMs ? 0 : Math.min(HEAT_POLL_MS, patienceMs - overdueMs);
}

function windowEnded(nowW: number | undefined, beforeW: number | undefined): boolean {
  return nowW !== undefined && beforeW !== undefined && nowW < beforeW * (1 - WINDOW_END_SHARE);
}

interface Hour {
  readonly number: number;
  runs: number;
  hot: number;
}

interface Device {
  readonly hours: Hour[];
  last: DeviceContext | undefined;
  powerBeforeW: number | undefined;
}

/** Lets scheduled runs prefer hot moments, so that a fifth of each day's runs see the device hot wherever the device allows it. */
export class HeatKeeper {
  readonly #contexts: ContextSource;
  readonly #devices = new Map<string, Device>();

  constructor(contexts: ContextSource) {
    this.#contexts = contexts;
  }

  /** It has a temperature, and is not hot. */
  isCool(deviceId: string): boolean {
    const now = this.#contexts.latest(deviceId);
    return now?.temperatureC !== undefined && !now.hot;
  }

  /** See heatHoldMs. */
  holdMs(deviceId: string, periodMs: number, overdueMs: number, monoMs: number): number {
    const device = this.#device(deviceId);
    const now = this.#contexts.latest(deviceId);
    if (now !== device.last) {
      device.powerBeforeW = device.last?.powerW;
      device.last = now;
    }
    const hotShare = this.hotShare(deviceId, monoMs);
    return heatHoldMs({ now, powerBeforeW: device.powerBeforeW, hotShare, periodMs, overdueMs });
  }

  /** A scheduled run took place; without a context it says nothing about heat. */
  ran(deviceId: string, context: DeviceContext | undefined, monoMs: number): void {
    if (context?.temperatureC === undefined) return;
    const { hours } = this.#device(deviceId);
    const number = Math.floor(monoMs / HOUR_MS);
    if (hours.at(-1)?.number !== number) hours.push({ number, runs: 0, hot: 0 });
    while ((hours[0]?.number ?? number) <= number - HOURS) hours.shift();
    const hour = hours.at(-1);
    if (hour === undefined) return;
    hour.runs += 1;
    if (context.hot) hour.hot += 1;
  }

  /** Of the last day's runs of a device, those in its hot bin; undefined where there are none with a temperature. */
  hotShare(deviceId: string, monoMs: number): number | undefined {
    const oldest = Math.floor(monoMs / HOUR_MS) - HOURS;
    const hours = this.#device(deviceId).hours.filter(({ number }) => number > oldest);
    const runs = hours.reduce((sum, hour) => sum + hour.runs, 0);
    return runs === 0 ? undefined : hours.reduce((sum, hour) => sum + hour.hot, 0) / runs;
  }

  #device(deviceId: string): Device {
    let device = this.#devices.get(deviceId);
    if (device === undefined) {
      device = { hours: [], last: undefined, powerBeforeW: undefined };
      this.#devices.set(deviceId, device);
    }
    return device;
  }
}

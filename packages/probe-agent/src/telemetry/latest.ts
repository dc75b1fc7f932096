import type { ContextSource, DeviceContext } from './context.js';
import { HotBin } from './hot-bin.js';
import type { Reading } from './reading.js';

/** A reading older than this many intervals says nothing about a run any more. */
const STALE_INTERVALS = 3;

interface Entry {
  readonly hot: HotBin;
  reading: Reading;
  monoMs: number;
}

/** The last reading of each device, as the context of its runs. */
export class LatestReadings implements ContextSource {
  readonly #entries = new Map<string, Entry>();
  readonly #intervalMs: number;
  readonly #monotonicMs: () => number;

  constructor(intervalMs: number, monotonicMs: () => number) {
    this.#intervalMs = intervalMs;
    this.#monotonicMs = monotonicMs;
  }

  put(deviceId: string, reading: Reading): void {
    const monoMs = this.#monotonicMs();
    const entry = this.#entries.get(deviceId) ?? { hot: new HotBin(), reading, monoMs };
    Object.assign(entry, { reading, monoMs });
    this.#entries.set(deviceId, entry);
    const { temperature_c: temperature } = reading.values;
    if (temperature !== undefined) entry.hot.add(temperature, monoMs);
  }

  latest(deviceId: string): DeviceContext | undefined {
    const entry = this.#fresh(deviceId);
    return entry === undefined ? undefined : contextOf(entry.reading, entry.hot);
  }

  /** The reading itself; undefined where `latest` is. */
  reading(deviceId: string): Reading | undefined {
    return this.#fresh(deviceId)?.reading;
  }

  #fresh(deviceId: string): Entry | undefined {
    const entry = this.#entries.get(deviceId);
    return entry !== undefined && this.#monotonicMs() - entry.monoMs <= STALE_INTERVALS * this.#intervalMs
      ? entry
      : undefined;
  }
}

function contextOf({ values }: Reading, hot: HotBin): DeviceContext {
  const { temperature_c: temperature, clock_event_reasons: reasons } = values;
  const clock = values['clock_sm_mhz'] ?? values['clock_mean_mhz'];
  const power = values['power_instant_w'] ?? values['power_average_w'] ?? values['power_w'];
  return {
    ...(temperature === undefined ? {} : { temperatureC: Math.round(temperature) }),
    ...(clock === undefined ? {} : { clockMhz: Math.round(clock) }),
    ...(power === undefined ? {} : { powerW: Math.round(power) }),
    ...(reasons === undefined ? {} : { clockEventReasons: BigInt(reasons) }),
    hot: temperature !== undefined && hot.isHot(temperature),
  };
}

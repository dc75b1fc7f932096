import { MAX_FIELDS, type Sample } from '../core.js';

/** Different sets of field names that are kept once for all devices: a fleet has a few models. */
const MAX_SHAPES = 1_024;

/** What a device's sensors said last. */
export interface Latest {
  readonly timeUs: number;
  readonly values: Readonly<Record<string, number>>;
  readonly texts: Readonly<Record<string, string>>;
}

/** Names of fields in order, and where each stands. Shared by devices that offer the same. */
type Shape = ReadonlyMap<string, number>;

interface Entry {
  timeUs: number;
  shape: Shape;
  numbers: Float64Array;
  texts: Readonly<Record<string, string>>;
}

/**
 * The newest state of every device's sensors, in memory alone: after a start of the engine agents send it anew. About 1.5 KB for a GPU
 * of 140 fields.
 */
export class LatestTelemetry {
  readonly #entries = new Map<string, Entry>();
  readonly #shapes = new Map<string, Shape>();

  /** Takes a sample of a device that is known: memory is bounded by the devices. @param timeUs by the engine's clock */
  put(sample: Sample, timeUs: number): void {
    const entry = this.#entries.get(sample.deviceId);
    if (sample.partial && entry !== undefined && Object.keys(sample.values).every((name) => entry.shape.has(name))) {
      for (const [name, value] of Object.entries(sample.values)) entry.numbers[entry.shape.get(name) ?? 0] = value;
      this.#store(sample.deviceId, { ...entry, timeUs, texts: { ...entry.texts, ...sample.texts } });
      return;
    }
    const before = sample.partial ? this.of(sample.deviceId) : undefined;
    const values = { ...before?.values, ...sample.values };
    const shape = this.#shape(Object.keys(values));
    const numbers = Float64Array.from(shape.keys(), (name) => values[name] ?? 0);
    this.#store(sample.deviceId, { timeUs, shape, numbers, texts: { ...before?.texts, ...sample.texts } });
  }

  of(deviceId: string): Latest | undefined {
    const entry = this.#entries.get(deviceId);
    if (entry === undefined) return undefined;
    const { timeUs, shape, numbers, texts } = entry;
    return { timeUs, values: Object.fromEntries([...shape].map(([name, k]) => [name, numbers[k] ?? 0])), texts };
  }

  /** One sensor alone; undefined = the device does not offer it, or has said nothing yet. */
  value(deviceId: string, name: string): number | undefined {
    const entry = this.#entries.get(deviceId);
    const place = entry?.shape.get(name);
    return place === undefined ? undefined : entry?.numbers[place];
  }

  /** Partial samples of ever new names come from no honest agent, and are left out. */
  #store(deviceId: string, entry: Entry): void {
    if (entry.shape.size + Object.keys(entry.texts).length <= MAX_FIELDS) this.#entries.set(deviceId, entry);
  }

  #shape(names: readonly string[]): Shape {
    const sorted = names.toSorted();
    const key = sorted.join();
    const known = this.#shapes.get(key);
    if (known !== undefined) return known;
    const shape = new Map(sorted.map((name, k) => [name, k]));
    if (this.#shapes.size < MAX_SHAPES) this.#shapes.set(key, shape);
    return shape;
  }
}

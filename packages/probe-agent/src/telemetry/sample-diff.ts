import type { Reading } from './reading.js';

/**
 * What changes all the time waits for its turn, so that 1,000 GPUs stay far below 0.2 Mbps; what says that something broke is
 * sent at once.
 */
const GAUGES_EVERY_MS = 600_000;
/** A whole sample, so that whoever lost one has everything again. */
const WHOLE_EVERY_MS = 86_400_000;

/** Fields whose change is sent at once. */
const URGENT =
  /^(ecc_enabled|ecc_uncorrected_.*|rows_remapped_uncorrected|row_remap_.*|retired_pages_.*|memory_uncorrected_errors|machine_checks|nvlink_links_active|fabric_.*)$/;

/** A sample to send: all that the device offers, or only what changed since the sample before. */
export interface Difference extends Reading {
  readonly partial: boolean;
}

/** Decides what of a device's readings is sent. */
export class SampleDiff {
  #sent: Reading | undefined;
  #wholeMs = 0;
  #gaugesMs = 0;

  /** The next sample is a whole one. */
  restart(): void {
    this.#sent = undefined;
  }

  /** Null: nothing is to be sent. */
  next(reading: Reading, monoMs: number): Difference | null {
    const sent = this.#sent;
    if (sent === undefined || monoMs - this.#wholeMs >= WHOLE_EVERY_MS || !sameFields(sent, reading)) {
      this.#sent = reading;
      this.#wholeMs = monoMs;
      this.#gaugesMs = monoMs;
      return { ...reading, partial: false };
    }
    const gauges = monoMs - this.#gaugesMs >= GAUGES_EVERY_MS;
    if (gauges) this.#gaugesMs = monoMs;
    const due = (name: string) => gauges || URGENT.test(name);
    const values = changed(sent.values, reading.values, due);
    const texts = changed(sent.texts, reading.texts, () => true);
    if (Object.keys(values).length + Object.keys(texts).length === 0) return null;
    this.#sent = { values: { ...sent.values, ...values }, texts: reading.texts };
    return { values, texts, partial: true };
  }
}

function changed<T>(
  sent: Readonly<Record<string, T>>,
  now: Readonly<Record<string, T>>,
  due: (name: string) => boolean,
): Record<string, T> {
  return Object.fromEntries(Object.entries(now).filter(([name, value]) => sent[name] !== value && due(name)));
}

/** A partial sample cannot say that a field is gone. */
function sameFields(a: Reading, b: Reading): boolean {
  const names = ({ values, texts }: Reading) => [...Object.keys(values), '', ...Object.keys(texts)].sort().join();
  return names(a) === names(b);
}

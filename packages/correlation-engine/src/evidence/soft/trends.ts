/** The newest values of what is watched, by field; a field that was never offered is absent. Replaced as a whole, never mutated. */
export type Trends = Readonly<Record<string, number>>;

export type TrendSource = 'telemetry/corrected-errors' | 'telemetry/memory-repairs' | 'telemetry/thermal';

interface Watched {
  readonly source: TrendSource;
  readonly field: string;
  /** Of a field of flags: those that are watched. Absent: a counter. */
  readonly bits?: number;
}

/** nvmlClocksEventReasonSwThermalSlowdown and nvmlClocksEventReasonHwThermalSlowdown (nvml.h). */
const SLOWED_BY_HEAT = 0x20 | 0x40;

/** Counters that rise and flags that are set while hardware ages, by the names of docs/telemetry.md. What is loud comes as an event of its own. */
const WATCHED: readonly Watched[] = [
  { source: 'telemetry/corrected-errors', field: 'ecc_corrected_volatile_total' },
  { source: 'telemetry/corrected-errors', field: 'memory_corrected_errors' },
  { source: 'telemetry/memory-repairs', field: 'rows_remapped_corrected' },
  { source: 'telemetry/memory-repairs', field: 'rows_remapped_uncorrected' },
  { source: 'telemetry/memory-repairs', field: 'retired_pages_single_bit' },
  { source: 'telemetry/memory-repairs', field: 'retired_pages_double_bit' },
  { source: 'telemetry/thermal', field: 'throttle_package_events' },
  { source: 'telemetry/thermal', field: 'clock_event_reasons', bits: SLOWED_BY_HEAT },
];

export interface Noticed {
  /** The same object where nothing changed. */
  readonly trends: Trends | null;
  /** Each once. */
  readonly sources: readonly TrendSource[];
}

/**
 * Compares a sample with what was known. The first value of a field is what later ones are held against; a counter that fell began
 * anew, with its driver.
 */
export function noticeTrends(known: Trends | null, values: Readonly<Record<string, number>>): Noticed {
  let trends = known;
  const sources: TrendSource[] = [];
  for (const { source, field, bits } of WATCHED) {
    const said = values[field];
    if (said === undefined) continue;
    const now = bits === undefined ? said : said & bits;
    const before = known?.[field];
    if (before === now) continue;
    trends = { ...trends, [field]: now };
    if (before === undefined) continue;
    const rose = bits === undefined ? now > before : (now & ~before) !== 0;
    if (rose && !sources.includes(source)) sources.push(source);
  }
  return { trends, sources };
}

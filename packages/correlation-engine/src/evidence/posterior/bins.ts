/**
 * Temperature and power of a run, coarsely: passes in other circumstances than the failures say little about a defect that
 * heat or load brings out. Few enough bins that a set of them is one small integer.
 */
export type Bin = number;

/** Set of bins: bit b = bin b. */
export type BinSet = number;

/** What a run knows of its circumstances; absent = the device does not offer it. */
export interface Circumstances {
  readonly temperatureC?: number | undefined;
  readonly powerW?: number | undefined;
}

/** Neither is known. It matches itself alone. */
export const UNKNOWN_BIN: Bin = 0;

/** Lower limits, degrees Celsius: from where defects begin to depend on heat, in steps that a sensor tells apart. */
const TEMPERATURES_C = [Number.NEGATIVE_INFINITY, 50, 60, 70, 80];
/** Lower limits, W: an idle, a partly and a fully loaded device. */
const POWERS_W = [Number.NEGATIVE_INFINITY, 150, 300, 450];

export function binOf(circumstances: Circumstances | undefined): Bin {
  const temperature = classOf(circumstances?.temperatureC, TEMPERATURES_C);
  const power = classOf(circumstances?.powerW, POWERS_W);
  return temperature * (POWERS_W.length + 1) + power;
}

/** Classes of temperature: 0 = not known, n = from the nth limit on. */
export const TEMPERATURE_CLASSES = TEMPERATURES_C.length + 1;

export function temperatureClass(bin: Bin): number {
  return Math.floor(bin / (POWERS_W.length + 1));
}

/** Where a class of temperature begins, degrees Celsius. */
export function temperatureFrom(temperature: number): number {
  return TEMPERATURES_C[temperature - 1] ?? Number.NEGATIVE_INFINITY;
}

export function hasBin(set: BinSet, bin: Bin): boolean {
  return ((set >>> bin) & 1) === 1;
}

/** Where heat begins to matter, degrees Celsius. */
const WARM_C = 60;
const ALL_BINS = Array.from({ length: (TEMPERATURES_C.length + 1) * (POWERS_W.length + 1) }, (_, bin) => bin);

/** Some failure was seen on a warm device. */
export function hasWarmBin(set: BinSet): boolean {
  return ALL_BINS.some((bin) => hasBin(set, bin) && temperatureFrom(temperatureClass(bin)) >= WARM_C);
}

export function withBin(set: BinSet, bin: Bin): BinSet {
  return set | (1 << bin);
}

/** 0 = not known; n = at or above the nth limit and below the next. */
function classOf(value: number | undefined, limits: readonly number[]): number {
  return value === undefined ? 0 : limits.findLastIndex((limit) => value >= limit) + 1;
}

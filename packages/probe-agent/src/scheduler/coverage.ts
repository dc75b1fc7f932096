/** SMs of one period of a schedule entry, and where the next period goes on. */
export interface Slice {
  readonly sms: readonly number[];
  readonly cursor: number;
}

/** How many of `count` SMs one period reaches: never none. */
export function sliceSize(count: number, fraction: number): number {
  return Math.min(count, Math.max(1, Math.ceil(count * fraction)));
}

/**
 * Takes the next `fraction` of the SMs, going round. Any `ceil(count / sliceSize)` periods in a row reach every SM,
 * which a random choice would not promise.
 */
export function nextSlice(sms: readonly number[], fraction: number, cursor: number): Slice {
  const size = sliceSize(sms.length, fraction);
  const start = sms.length === 0 ? 0 : cursor % sms.length;
  const around = [...sms.slice(start), ...sms.slice(0, start)];
  return { sms: around.slice(0, size).sort((a, b) => a - b), cursor: start + size };
}

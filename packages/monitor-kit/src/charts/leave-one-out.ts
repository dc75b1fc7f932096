/**
 * What each rank adds to the others: its value less the median of the other ranks' values. What they all do at once is in none of it.
 * @param values by rank; not finite = this rank gave none
 * @returns by rank, NaN where the rank or all others gave none
 */
export function leaveOneOut(values: readonly number[]): number[] {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  return values.map((value) =>
    Number.isFinite(value) && sorted.length > 1 ? value - medianWithout(sorted, value) : Number.NaN,
  );
}

/** Median of sorted values when one that equals `value` is left out. */
function medianWithout(sorted: readonly number[], value: number): number {
  const left = sorted.indexOf(value);
  const at = (index: number) => sorted[index < left ? index : index + 1] ?? Number.NaN;
  const count = sorted.length - 1;
  const upper = at(count >> 1);
  return count % 2 === 1 ? upper : (upper + at((count >> 1) - 1)) / 2;
}

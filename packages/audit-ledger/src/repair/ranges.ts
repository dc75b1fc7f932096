/** Entries as ranges, as few as a person and an entry of the log can hold. */

export type SeqRanges = readonly (readonly [number, number])[];

/** Neighbours together, both ends included. */
export function rangesOf(seqs: Iterable<number>): [number, number][] {
  const ranges: [number, number][] = [];
  for (const seq of [...new Set(seqs)].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last?.[1] === seq - 1) last[1] = seq;
    else ranges.push([seq, seq]);
  }
  return ranges;
}

export function rangesText(ranges: SeqRanges): string {
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first} to ${last}`)).join(', ');
}

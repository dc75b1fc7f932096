import { readFileSync } from 'node:fs';

interface Hours {
  readonly median: number;
  readonly p99: number;
}

/** What another simulation of the same mathematics gives. */
interface ReferenceFigures {
  readonly hoursToQuarantine: Readonly<Record<string, Hours>>;
  /** Per 10,000 GPU-years, by rate of passing faults. */
  readonly falseQuarantines: Readonly<Record<string, number>>;
  readonly quarantinedBySoftware: Readonly<Record<string, number>>;
  readonly hoursToAttributeNode: Readonly<Record<string, Hours & { readonly runsWithQuarantine: number }>>;
}

const FILE = new URL('../../src/bench/reference-figures.json', import.meta.url);

export function referenceFigures(): ReferenceFigures {
  return JSON.parse(readFileSync(FILE, 'utf8')) as ReferenceFigures;
}

/**
 * How far the reference's medians lie outside of the intervals that hold ours, as a share of the reference: the largest over what
 * both know. Medians themselves would not do: one that falls between two days jumps by a day by chance. @throws RangeError where
 * they share nothing
 */
export function deviation(
  intervals: Readonly<Record<string, readonly [number, number]>>,
  reference: Readonly<Record<string, Hours>>,
): number {
  const shared = Object.entries(intervals).flatMap(([name, interval]) => {
    const { median } = reference[name] ?? {};
    return median === undefined ? [] : [outside(interval, median) / median];
  });
  if (shared.length === 0) throw new RangeError('no figure to compare with the reference');
  return Math.max(...shared);
}

function outside([low, high]: readonly [number, number], value: number): number {
  return Math.max(0, low - value, value - high);
}

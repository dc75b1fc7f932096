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

/** The largest of |value / reference - 1| over what both know. @throws RangeError where they share nothing */
export function deviation(
  values: Readonly<Record<string, number | null>>,
  reference: Readonly<Record<string, Hours>>,
): number {
  const shared = Object.keys(values).filter((name) => reference[name] !== undefined);
  if (shared.length === 0) throw new RangeError('no figure to compare with the reference');
  const from = (name: string): number =>
    Math.abs((values[name] ?? Number.POSITIVE_INFINITY) / (reference[name]?.median ?? Number.NaN) - 1);
  return Math.max(...shared.map(from));
}

/** What verification found, and who has the bytes that mend it. */
import { TILE_WIDTH } from '../tiles/path.js';
import type { Finding } from '../verify/walker.js';
import type { Absent, Right, RightBundle, RightLog } from './right-log.js';

export interface Damage extends Finding {
  /** Names of the copies that are needed; none where the log itself has all of it. */
  readonly from: readonly string[];
  /** What nobody has: leaf, detail, hash. */
  readonly lacks: readonly string[];
}

/** Findings in the order of their entries, each with what mends it. */
export async function damageOf(findings: readonly Finding[], right: RightLog): Promise<Damage[]> {
  const found: Damage[] = [];
  for (const finding of findings.toSorted((a, b) => a.seq - b.seq)) {
    const bundle = await right.bundle(Math.floor(finding.seq / TILE_WIDTH));
    found.push({ ...finding, ...needsOf(bundle, finding.seq % TILE_WIDTH) });
  }
  return found;
}

function needsOf({ hashes, leaves, preimages }: RightBundle, at: number): Pick<Damage, 'from' | 'lacks'> {
  const parts: [string, Right | Absent | undefined][] = [
    ['leaf', leaves[at]],
    ['detail', preimages[at]],
  ];
  const names = parts.map(([, part]) => (typeof part === 'object' ? part.from : undefined));
  const lacks = parts.filter(([, part]) => part === 'lost').map(([what]) => what);
  return {
    from: [...new Set(names.filter((name) => name !== undefined))],
    lacks: hashes === undefined ? ['hash'] : lacks,
  };
}

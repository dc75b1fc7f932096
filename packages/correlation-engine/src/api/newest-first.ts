import type { TransitionTable } from '../store/schema.js';

type Change = Pick<TransitionTable, 'commit_seq' | 'from_state' | 'to_state'>;

/**
 * Changes of one device that were committed together, put so that each leads to the next newer one. `rows` come by commit, the newest
 * first; `state` = what the newest led to.
 */
export function newestFirst<R extends Change>(rows: readonly R[], state: string): R[] {
  const ordered: R[] = [];
  const left = [...rows];
  let after = state;
  while (left.length > 0) {
    const together = left.findIndex((row) => row.commit_seq !== left[0]?.commit_seq);
    const candidates = together < 0 ? left : left.slice(0, together);
    const at = Math.max(
      0,
      candidates.findIndex((row) => row.to_state === after),
    );
    ordered.push(...left.splice(at, 1));
    after = ordered.at(-1)?.from_state ?? after;
  }
  return ordered;
}

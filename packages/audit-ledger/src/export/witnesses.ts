/**
 * What an export says of entries beyond its range: which pruning took what is not there, and that the entries next to the range lie
 * outside the period. Each with a proof that it is in the signed tree.
 */
import type { Checkpoint } from '../note/checkpoint.js';
import { provedEntry } from '../verify/proved-entry.js';
import type { ClaimedPruned, LogSource } from '../verify/source.js';
import type { SeqRange } from './layout.js';
import type { ProvedLine } from './proved-lines.js';

/** Ascending. A neighbour that was pruned is left out: its place is all that is known of it. */
export async function witnessesOf(
  source: LogSource,
  checkpoint: Checkpoint,
  range: SeqRange,
  { leaves, announced }: ClaimedPruned,
): Promise<ProvedLine[]> {
  const openings = new Map(announced.map((opening) => [opening.seq, opening]));
  const seqs = new Set([...openings.keys(), range.first - 1, range.last + 1]);
  const lines: ProvedLine[] = [];
  for (const seq of [...seqs].toSorted((a, b) => a - b)) {
    const entry = seq < 0 ? undefined : await provedEntry(seq, checkpoint, source, leaves);
    if (entry !== undefined) lines.push({ seq, leaf: entry.bytes, opening: openings.get(seq), proof: entry.proof });
  }
  return lines;
}

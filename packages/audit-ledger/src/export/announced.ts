/** Whether what an export leaves out was pruned: only entries that the export proves to be of the log can say so. */
import { LEDGER_PRODUCER } from '../commit/ledger-producer.js';
import type { Leaf, LeafView } from '../leaf/leaf.js';
import { KeptDigest, type Pruning, prunedBy, pruningIn } from '../retention/pruning.js';
import { holds, type Manifest } from './manifest.js';
import type { ProvedLine } from './proved-lines.js';

export class Announced {
  readonly #manifest: Manifest;
  readonly #prunings: Pruning[] = [];
  #asStated: boolean | undefined;

  constructor(manifest: Manifest) {
    this.#manifest = manifest;
  }

  /** An entry that was found to be in the tree. */
  take({ seq, opening }: ProvedLine, leaf: LeafView): void {
    const pruning = opening === undefined ? undefined : pruningIn(seq, opening.detail);
    if (pruning !== undefined && leaf.producer === LEDGER_PRODUCER) this.#prunings.push(pruning);
  }

  /** Whether the log announced what the manifest states of pruned entries. */
  asStated(): boolean {
    this.#asStated ??= this.#manifest.pruned_leaves_end === 0 || this.#keptAsAnnounced();
    return this.#asStated;
  }

  /** Whether the leaf may be gone: below the end that a pruning names, and not among those that it kept. */
  leaf(seq: number): boolean {
    return this.asStated() && seq < this.#manifest.pruned_leaves_end && !holds(this.#manifest.kept_leaves, seq);
  }

  /** Whether the detail of an entry may be gone. */
  detail(seq: number, leaf: Leaf): boolean {
    return prunedBy(this.#prunings, seq, leaf) !== undefined;
  }

  #keptAsAnnounced(): boolean {
    const { pruned_leaves_end: end, kept_leaves: ranges } = this.#manifest;
    const candidates = this.#prunings.filter(({ leaves, kept }) => leaves === end && kept !== undefined);
    const count = ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
    if (!candidates.some(({ kept }) => kept?.count === count)) return false;
    const digest = new KeptDigest();
    for (const [first, last] of ranges) for (let seq = first; seq <= last; seq += 1) digest.add(seq);
    const { digest: found } = digest.value();
    return candidates.some(({ kept }) => kept?.count === count && kept.digest === found);
  }
}

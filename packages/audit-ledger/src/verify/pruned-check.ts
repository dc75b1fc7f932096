/**
 * Whether what is not there was pruned. Only an entry of the log itself can say so, and only of what it names: everything
 * else that is missing was deleted by somebody else.
 */
import { LEDGER_PRODUCER } from '../commit/ledger-producer.js';
import { preimageOf } from '../detail/commitment.js';
import type { Leaf, LeafView } from '../leaf/leaf.js';
import type { Checkpoint } from '../note/checkpoint.js';
import { KeptDigest, type Pruning, prunedBy, pruningIn } from '../retention/pruning.js';
import { BrokenLinkError, checkDetail } from './link.js';
import { provedEntry } from './proved-entry.js';
import type { ClaimedPruned, LogSource, Opening } from './source.js';
import type { Finding } from './walker.js';

/** Entries [first, last], of which `count` are pruned. */
export interface PrunedRange {
  readonly first: number;
  readonly last: number;
  readonly count: number;
}

export class PrunedCheck {
  readonly #claim: ClaimedPruned;
  readonly #announced: ReadonlyMap<number, Opening>;
  readonly #prunings: readonly Pruning[];
  /** First entry that is missing by right of a pruning. */
  readonly #relied = new Map<Pruning, number>();
  readonly #confirmed = new Set<number>();
  readonly #kept = new KeptDigest();
  #details: PrunedRange | undefined;
  #leaves: PrunedRange | undefined;

  constructor(claim: ClaimedPruned) {
    this.#claim = claim;
    this.#announced = new Map(claim.announced.map((opening) => [opening.seq, opening]));
    this.#prunings = claim.announced.flatMap(({ seq, detail }) => pruningIn(seq, detail) ?? []);
  }

  get details(): PrunedRange | undefined {
    return this.#details;
  }

  get leaves(): PrunedRange | undefined {
    return this.#leaves;
  }

  /** The detail of an entry is not there. @returns whether the claim explains it */
  detail(seq: number, leaf: Leaf): boolean {
    const by = prunedBy(this.#prunings, seq, leaf);
    if (by === undefined) return false;
    if (!this.#relied.has(by)) this.#relied.set(by, seq);
    this.#details = extended(this.#details, seq);
    return true;
  }

  prunedLeaf(seq: number): void {
    this.#leaves = extended(this.#leaves, seq);
  }

  keptLeaf(seq: number): void {
    this.#kept.add(seq);
  }

  /** An entry of the log: it confirms what was claimed of it, or does not. */
  take(seq: number, leaf: LeafView): void {
    const opening = this.#announced.get(seq);
    if (opening === undefined || leaf.producer !== LEDGER_PRODUCER) return;
    try {
      checkDetail(leaf, preimageOf(opening));
      this.#confirmed.add(seq);
    } catch (error) {
      if (!(error instanceof BrokenLinkError)) throw error;
    }
  }

  /** The same for entries at `end` or later, which were not walked: each is proved to be in the signed tree. */
  async confirmBeyond(end: number, checkpoint: Checkpoint, source: LogSource): Promise<void> {
    for (const { seq } of this.#prunings) {
      if (seq < end) continue;
      const entry = await provedEntry(seq, checkpoint, source, this.#claim.leaves);
      if (entry !== undefined) this.take(seq, entry.leaf);
    }
  }

  /** `sawAll`: the walk began at entry 0. */
  finish(sawAll: boolean): Finding[] {
    const findings = Array.from(this.#relied, ([by, first]) => ({ by, first }))
      .filter(({ by }) => !this.#confirmed.has(by.seq))
      .map(({ by, first }) => ({ seq: first, what: `detail is missing: entry ${by.seq} is no pruning of it` }));
    return sawAll && this.#claim.leaves > 0 && !this.#keptAsAnnounced()
      ? [...findings, { seq: 0, what: `entries below ${this.#claim.leaves} are missing that no pruning took` }]
      : findings;
  }

  #keptAsAnnounced(): boolean {
    const { count, digest } = this.#kept.value();
    return this.#prunings.some(
      ({ seq, leaves, kept }) =>
        this.#confirmed.has(seq) && leaves === this.#claim.leaves && kept?.count === count && kept.digest === digest,
    );
  }
}

function extended(range: PrunedRange | undefined, seq: number): PrunedRange {
  return { first: range?.first ?? seq, last: seq, count: (range?.count ?? 0) + 1 };
}

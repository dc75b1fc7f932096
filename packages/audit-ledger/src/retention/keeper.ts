/**
 * Keeps what has to be kept and prunes the rest, by way of the sequencer: an entry announces exactly what goes, then it goes,
 * then an entry says that it is gone. A crash in between is made good at the next start.
 */
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Ledger } from '../commit/ledger.js';
import { landmarkDraft } from '../commit/system-entries.js';
import type { JsonValue } from '../detail/canonical.js';
import type { Landmark } from '../storage/head.js';
import type { LedgerStore } from '../storage/store.js';
import { NodeReader } from '../tiles/node-reader.js';
import { Turns } from '../turns.js';
import { type Recorded, recordedAt, recordedOf } from './chain.js';
import { addedHold, type Hold, readHolds, removedHold } from './holds.js';
import { isEmpty, type PrunePlan, type PruneRequest, planPruning } from './plan.js';
import { type Pruning, pruningJson, pruningOf } from './pruning.js';
import { isSubset, keeps, type Scope } from './scope.js';
import { confirmToken, tokenSize } from './token.js';

export interface KeeperParts {
  readonly ledger: Ledger;
  readonly store: LedgerStore;
  /** Shared with whoever verifies: what is read must not go meanwhile. */
  readonly turns: Turns;
  readonly nowUs: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly pruned: (outcome: PruneOutcome, by: string) => void;
}

export interface PruneOutcome {
  readonly intentSeq: number;
  readonly doneSeq: number;
  /** By which the store became smaller. */
  readonly freedBytes: number;
}

export interface ConfirmablePlan {
  readonly plan: PrunePlan;
  /** Empty where nothing would go. */
  readonly token: string;
}

export class Keeper {
  readonly #parts: KeeperParts;
  /** Holds and prunings, one at a time. A hold waits for no verification: whoever orders one cannot wait. */
  readonly #own = new Turns();

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  async holds(): Promise<Hold[]> {
    return await readHolds(this.#parts.store);
  }

  async addHold(scope: Scope, reason: string, by: string): Promise<Hold> {
    return await this.#own.take(async () => {
      const detail = addedHold(scope, reason, by, await this.holds());
      const id = await this.#record('hold', detail);
      return { id, scope, reason: detail.reason, by, addedUs: this.#parts.store.head.receivedUs };
    });
  }

  /** @returns seq of the entry that records it */
  async removeHold(id: number, reason: string, by: string): Promise<number> {
    return await this.#own.take(
      async () => await this.#record('hold', removedHold(id, reason, by, await this.holds())),
    );
  }

  async plan(request: PruneRequest): Promise<ConfirmablePlan> {
    return await this.#own.take(async () => {
      const { checkpoint } = this.#parts.ledger;
      const plan = await this.#plan(request);
      return { plan, token: confirmToken(plan, checkpoint) };
    });
  }

  /** @throws SentinelError FAILED_PRECONDITION where `token` is not that of the plan for this request */
  async prune(request: PruneRequest, token: string, by: string): Promise<{ plan: PrunePlan } & PruneOutcome> {
    return await this.#removing(async () => {
      const plan = await this.#plan(request);
      await this.#assertConfirmed(plan, token);
      return { plan, ...(await this.#execute(plan, by)) };
    });
  }

  /** By configuration, without a person. Undefined where nothing goes. */
  async clean(request: PruneRequest): Promise<PruneOutcome | undefined> {
    return await this.#removing(async () => {
      const plan = await this.#plan(request);
      return isEmpty(plan) ? undefined : await this.#execute(plan, 'retention policy');
    });
  }

  /** Ends what a crash interrupted. */
  async resume(): Promise<PruneOutcome | undefined> {
    return await this.#removing(async () => {
      for await (const { seq, detail } of recordedOf(this.#parts.store, 'prune')) {
        const intent = pruningOf(seq, detail);
        return intent === undefined ? undefined : await this.#carryOut(intent, String(detail['by']));
      }
      return undefined;
    });
  }

  async #removing<T>(work: () => Promise<T>): Promise<T> {
    return await this.#parts.turns.take(async () => await this.#own.take(work));
  }

  async #plan(request: PruneRequest): Promise<PrunePlan> {
    const { store, ledger } = this.#parts;
    const scopes = (await this.holds()).map(({ scope }) => scope);
    const narrowed = (await this.#prunings()).some((pruning) => !isSubset(pruning.scopes, scopes));
    const { checkpoint, sealedEnd } = ledger;
    return await planPruning({ store, checkpoint, sealedEnd, request, scopes, narrowed });
  }

  async #assertConfirmed(plan: PrunePlan, token: string): Promise<void> {
    const { origin, size: now } = this.#parts.ledger.checkpoint;
    const size = tokenSize(token);
    if (isEmpty(plan)) throw refused('there is nothing to prune');
    if (size === undefined || size > now) throw refused('the confirm token is not one of this log');
    const root = await this.#nodes(now).root(size);
    if (confirmToken(plan, { origin, size, root }) !== token)
      throw refused('the plan is another one than was confirmed: holds, seals or an earlier pruning have changed it');
  }

  async #execute(plan: PrunePlan, by: string): Promise<PruneOutcome> {
    const { leaves, details, scopes, kept, request, goneDetails, goneLeaves } = plan;
    const intent = { leaves, details, scopes, kept };
    const seq = await this.#record('prune', {
      ...pruningJson(intent),
      before_us: request.detailsBeforeUs ?? request.leavesBeforeUs ?? 0,
      by,
      details: goneDetails,
      leaves: goneLeaves,
    });
    return await this.#carryOut({ ...intent, seq }, by);
  }

  async #carryOut(intent: Pruning, by: string): Promise<PruneOutcome> {
    const { store } = this.#parts;
    const before = await store.storageBytes();
    const earlier = await this.#prunings();
    // A later pruning under the same holds, or fewer, speaks for the earlier one too.
    const others = earlier.filter(({ seq, scopes }) => seq !== intent.seq && !isSubset(intent.scopes, scopes));
    await store.prune({
      leaves: intent.leaves,
      details: intent.details,
      prunings: [...others.map(({ seq }) => seq), intent.seq],
      keep: (leaf) => keeps(intent.scopes, leaf),
      narrowed: earlier.some(({ scopes }) => !isSubset(scopes, intent.scopes)),
    });
    const freedBytes = Math.max(0, before - (await store.storageBytes()));
    const doneSeq = await this.#record('prune', { freed_bytes: freedBytes, intent: intent.seq, phase: 'done' });
    const outcome = { intentSeq: intent.seq, doneSeq, freedBytes };
    this.#parts.pruned(outcome, by);
    return outcome;
  }

  /** Those that the store relies on. */
  async #prunings(): Promise<Pruning[]> {
    const { store } = this.#parts;
    const recorded: Recorded[] = [];
    for (const seq of store.pruned.prunings) recorded.push(await recordedAt(store, seq));
    return recorded.flatMap(({ seq, detail }) => pruningOf(seq, detail) ?? []);
  }

  async #record(kind: Landmark, detail: { readonly [name: string]: JsonValue }): Promise<number> {
    const { ledger, store, nowUs, randomBytes } = this.#parts;
    const { seqs } = await ledger.record(landmarkDraft(kind, detail, store.head, nowUs(), randomBytes(16)));
    const [seq] = seqs;
    if (seq === undefined) throw new Error('the ledger gave no seq');
    return seq;
  }

  #nodes(size: number): NodeReader {
    return new NodeReader(async (tile) => {
      const bytes = await this.#parts.store.readTile(tile);
      if (bytes === undefined) throw new Error(`tree has no tile ${tile.level}/${tile.index}`);
      return bytes;
    }, size);
  }
}

function refused(why: string): SentinelError {
  return new SentinelError({
    code: 'FAILED_PRECONDITION',
    field: 'confirm_token',
    message: `nothing was pruned: ${why}`,
    hint: 'Look at the plan again (prune --dry-run) and confirm that one.',
  });
}

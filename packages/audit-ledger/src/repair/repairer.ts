/**
 * Puts what is damaged back as it was signed. Nothing is written that the signed checkpoint does not demand; what is written is
 * noted beside the log before and recorded in the log after.
 */
import type { JsonValue } from '../detail/canonical.js';
import type { Checkpoint } from '../note/checkpoint.js';
import type { VerifierKey } from '../note/keys.js';
import type { Backend, StoredLog } from '../storage/backend.js';
import { TILE_WIDTH } from '../tiles/path.js';
import type { Turns } from '../turns.js';
import { type VerifyOptions, type VerifyReport, verifyLog } from '../verify/verify-log.js';
import type { Finding } from '../verify/walker.js';
import type { Copy } from './bundle.js';
import { type Damage, damageOf } from './damage.js';
import type { PendingRepair, RepairJournal } from './journal.js';
import { rangesOf } from './ranges.js';
import { RightLog } from './right-log.js';

/** Entries of one repair: what its entry in the log can name, with the copies they came from. */
const MAX_ENTRIES = 500;

export interface RepairerParts {
  readonly backend: Pick<Backend, 'openSource' | 'mend'>;
  readonly key: VerifierKey;
  /** Shared with whoever verifies and prunes. */
  readonly turns: Turns;
  readonly journal: RepairJournal;
  readonly nowUs: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  /** Appends the entry; undefined where no writer can be had: then it stays in the journal. @returns its seq */
  readonly record: ((repair: PendingRepair) => Promise<number>) | undefined;
  readonly repaired: (outcome: RepairOutcome, by: string) => void;
}

export interface RepairPlan {
  readonly damage: readonly Damage[];
  /** Findings that are not among them: a later repair takes them. */
  readonly more: number;
  readonly checkpoint: Checkpoint | undefined;
}

export interface RepairOutcome extends RepairPlan {
  /** Entries at which nothing is found any more. */
  readonly mended: readonly number[];
  /** What is still found. */
  readonly left: readonly Finding[];
  /** Entry that records it; undefined where nothing was done, or no writer could be had yet. */
  readonly seq: number | undefined;
}

export class Repairer {
  readonly #parts: RepairerParts;

  constructor(parts: RepairerParts) {
    this.#parts = parts;
  }

  /**
   * Changes nothing. `entries`: those to look at, with those around them; none = all.
   * @throws UnverifiableError where not even hashes can be told that lead to the signed root
   */
  async plan(copies: readonly Copy[], entries: readonly number[] = []): Promise<RepairPlan> {
    return await this.#parts.turns.take(() => this.#withPlan(copies, entries, (plan) => Promise.resolve(plan)));
  }

  async repair(copies: readonly Copy[], by: string, entries: readonly number[] = []): Promise<RepairOutcome> {
    return await this.#parts.turns.take(() =>
      this.#withPlan(copies, entries, async (plan, source) =>
        plan.damage.length === 0
          ? { ...plan, mended: [], left: [], seq: undefined }
          : await this.#mend(plan, source, copies, by),
      ),
    );
  }

  async #withPlan<T>(
    copies: readonly Copy[],
    entries: readonly number[],
    work: (plan: RepairPlan, source: StoredLog) => Promise<T>,
  ): Promise<T> {
    const found = entries.length === 0 ? await this.#lookAt({}) : await this.#lookAround(entries);
    const source = await this.#parts.backend.openSource();
    try {
      return await work(await planOf(source, found, copies), source);
    } finally {
      await source.close();
    }
  }

  async #lookAt(options: VerifyOptions): Promise<Found> {
    const { backend, key } = this.#parts;
    const source = await backend.openSource();
    return await verifyLog(source, key, options).finally(() => source.close());
  }

  /** Bundles of these entries alone. */
  async #lookAround(entries: readonly number[]): Promise<Found> {
    const all: Found[] = [];
    for (const index of new Set(entries.map((seq) => Math.floor(seq / TILE_WIDTH))))
      all.push(await this.#lookAt({ range: { first: index * TILE_WIDTH, end: index * TILE_WIDTH + 1 } }));
    return {
      findings: all.flatMap(({ findings }) => findings),
      found: all.reduce((sum, { found }) => sum + found, 0),
      checkpoint: all[0]?.checkpoint,
    };
  }

  async #mend(plan: RepairPlan, source: StoredLog, copies: readonly Copy[], by: string): Promise<RepairOutcome> {
    const { backend, journal, nowUs, randomBytes, record, repaired } = this.#parts;
    const id = Buffer.from(randomBytes(16)).toString('hex');
    const pending = (detail: PendingRepair['detail']): PendingRepair => ({ id, atUs, detail });
    const atUs = nowUs();
    const seqs = [...new Set(plan.damage.map(({ seq }) => seq))];
    await journal.put(pending({ ...detailOf(plan, by, seqs, []), interrupted: true }));
    if (plan.checkpoint !== undefined) await backend.mend(seqs, await RightLog.open(source, copies, plan.checkpoint));
    const { findings: left } = await this.#lookAround(seqs);
    const mended = seqs.filter((seq) => !left.some((finding) => finding.seq === seq));
    const done = pending(detailOf(plan, by, mended, left));
    await journal.put(done);
    const seq = await record?.(done);
    if (seq !== undefined) await journal.remove(id);
    // Head and checkpoint are written anew with that entry.
    const after = seq === undefined || left.length === 0 ? left : (await this.#lookAround(seqs)).findings;
    const outcome = {
      ...plan,
      mended: seqs.filter((each) => !after.some((finding) => finding.seq === each)),
      left: after,
      seq,
    };
    repaired(outcome, by);
    return outcome;
  }
}

type Found = Pick<VerifyReport, 'findings' | 'found' | 'checkpoint'>;

/** Records what a crash, or a repair without a writer, left in the journal. @returns seqs of the entries */
export async function recordPending(
  journal: RepairJournal,
  record: (repair: PendingRepair) => Promise<number>,
): Promise<number[]> {
  const seqs: number[] = [];
  for (const repair of await journal.pending()) {
    seqs.push(await record(repair));
    await journal.remove(repair.id);
  }
  return seqs;
}

async function planOf(
  source: StoredLog,
  { findings, found, checkpoint }: Found,
  copies: readonly Copy[],
): Promise<RepairPlan> {
  const taken = findings.slice(0, MAX_ENTRIES);
  const more = found - taken.length;
  // A checkpoint that cannot be read is written again with the entry that records the repair.
  if (checkpoint === undefined)
    return { damage: taken.map((finding) => ({ ...finding, from: [], lacks: [] })), more, checkpoint };
  if (taken.length === 0) return { damage: [], more, checkpoint };
  return { damage: await damageOf(taken, await RightLog.open(source, copies, checkpoint)), more, checkpoint };
}

/** What the entry says. */
function detailOf(
  { damage }: RepairPlan,
  by: string,
  mended: readonly number[],
  left: readonly Finding[],
): { readonly [name: string]: JsonValue } {
  const names = [...new Set(damage.flatMap(({ from }) => from))];
  const sources = names.map((name) => ({
    entries: rangesOf(damage.filter(({ from }) => from.includes(name)).map(({ seq }) => seq)),
    from: name,
  }));
  const rest = left.map(({ seq }) => seq).slice(0, MAX_ENTRIES);
  return { by, entries: rangesOf(mended), event: 'repair', left: rangesOf(rest), sources };
}

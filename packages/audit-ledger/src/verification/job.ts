/**
 * The ledger checks itself: each time all entries since it last did, the newest ones again, what was found damaged, and a part of
 * the rest, so that everything that is not pruned is read again within SCRUB_DAYS.
 */

import { openCheckpoint } from '../note/checkpoint.js';
import type { VerifierKey } from '../note/keys.js';
import { NoteError } from '../note/note.js';
import type { Repair } from '../repair/by-itself.js';
import type { StoredLog } from '../storage/backend.js';
import { TILE_WIDTH } from '../tiles/path.js';
import type { Turns } from '../turns.js';
import { type VerifyOptions, type VerifyReport, verifyLog } from '../verify/verify-log.js';
import type { Condition } from './condition.js';

export const SCRUB_DAYS = 30;
const HOURS_PER_DAY = 24;
/** Entries of one turn: whoever wants to prune, or to hold, waits no longer than for these. */
const SLICE_ENTRIES = 2 ** 16;
/** Damaged entries that are looked at again. */
const MAX_LOOKED_AGAIN = 100;

export interface JobOptions {
  readonly openSource: () => Promise<StoredLog>;
  readonly key: VerifierKey;
  readonly turns: Turns;
  readonly condition: Condition;
  /** Newest entries that are read in any case. */
  readonly depth: number;
  readonly intervalHours: number;
  readonly nowMs: () => number;
  /** What keeps one slice from taking too much of a processor; made when it begins. */
  readonly pacer: () => () => Promise<void>;
  /** Each verification, also of a part. */
  readonly verified: (report: VerifyReport) => void;
  readonly save: () => Promise<void>;
  /** Mends entries by itself; undefined: a person does. */
  readonly repair?: Repair | undefined;
}

export class VerificationJob {
  readonly #options: JobOptions;
  #stopped = false;

  constructor(options: JobOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** One time. @throws SourceError where the log could not be read, which says nothing about it */
  async run(): Promise<void> {
    const { condition, nowMs, save, depth } = this.#options;
    for (const seq of condition.part.damaged.slice(0, MAX_LOOKED_AGAIN)) await this.#slice(seq, seq + 1);
    const { note, size } = await this.#newest();
    const since = Math.max(0, Math.min(condition.part.size, size - depth));
    await this.#stretch(since, size, note);
    await this.#scrub(since);
    if (this.#stopped) return;
    await this.#repair();
    if (condition.intact) condition.verifiedUpTo(note, size, nowMs());
    await save();
  }

  /** Entries [from, to) of the log that `note` speaks of. */
  async #stretch(from: number, to: number, note: string): Promise<void> {
    for (let at = from; at < to && !this.#stopped; at += SLICE_ENTRIES)
      await this.#slice(at, Math.min(at + SLICE_ENTRIES, to), note);
  }

  /** What is damaged, and looks at it again. */
  async #repair(): Promise<void> {
    const { condition, repair } = this.#options;
    const damaged = condition.part.damaged.slice(0, MAX_LOOKED_AGAIN);
    if (repair === undefined || damaged.length === 0) return;
    await repair(damaged);
    for (const seq of damaged) await this.#slice(seq, seq + 1);
  }

  /** A part of what lies before `end`. */
  async #scrub(end: number): Promise<void> {
    const { condition, intervalHours } = this.#options;
    const runs = Math.max(1, Math.floor((SCRUB_DAYS * HOURS_PER_DAY) / intervalHours));
    const share = Math.ceil(end / runs / TILE_WIDTH) * TILE_WIDTH;
    const from = condition.part.scrubNext >= end ? 0 : condition.part.scrubNext;
    const to = Math.min(from + share, end);
    for (let at = from; at < to && !this.#stopped; at += SLICE_ENTRIES)
      await this.#slice(at, Math.min(at + SLICE_ENTRIES, to));
    if (!this.#stopped) condition.scrubbedUpTo(to);
  }

  async #newest(): Promise<{ note: string; size: number }> {
    const { openSource, turns } = this.#options;
    return await turns.take(async () => {
      const source = await openSource();
      try {
        const note = await source.checkpoint();
        return { note, size: Number(note.split('\n')[1]) || 0 };
      } finally {
        await source.close();
      }
    });
  }

  /** Under the newest checkpoint, which has to extend `note` and the one that was verified last. */
  async #slice(first: number, end: number, note?: string): Promise<void> {
    const { openSource, key, turns, condition, pacer, verified } = this.#options;
    await turns.take(async () => {
      const source = await openSource();
      const known = knownCheckpoint(note ?? condition.part.note, key) ?? knownCheckpoint(condition.part.note, key);
      const options: VerifyOptions = {
        range: { first, end },
        pace: pacer(),
        ...(known === undefined ? {} : { known }),
      };
      const report = await verifyLog(source, key, options).finally(() => source.close());
      condition.take(report);
      verified(report);
    });
  }
}

function knownCheckpoint(note: string | undefined, key: VerifierKey) {
  try {
    return note === undefined ? undefined : openCheckpoint(note, key);
  } catch (error) {
    if (error instanceof NoteError) return undefined;
    throw error;
  }
}

import { createHash } from 'node:crypto';
import { SentinelError } from '@sentinel/service-kit/errors';
import { type Kysely, sql } from 'kysely';
import { EffectRows, orderRow } from '../commit/merge.js';
import {
  type Apply,
  apply,
  begin,
  type CoreState,
  type Effects,
  emptyState,
  install,
  loadState,
  type SavedState,
} from '../core.js';
import type { HistoryLog } from '../store/history/history-store.js';
import { beginningOfLog, type LogBase } from '../store/retention/log-bases.js';
import type { Tables } from '../store/schema.js';
import { readCheckpoint } from './checkpoint.js';
import { DecisionComparison, givenUp } from './compare-decisions.js';
import { compareState } from './compare-state.js';

import { MovedNames } from './moved-names.js';
import { type LogEntry, readLog } from './read-log.js';
import { Remembered } from './remembered.js';
import type { Disagreement, ReplayReport } from './report.js';
import { SchemaSteps } from './schema-steps.js';
import { type Decisions, StoredDecisions, storedRecords } from './stored-log.js';

/** How long the archiving of what was committed a moment ago may take. */
const PATIENCE_MS = 30_000;

export interface ReplayOptions {
  readonly db: Kysely<Tables>;
  readonly history: Pick<HistoryLog, 'next'>;
  /** Last record that is replayed; undefined = all that are committed. */
  readonly until?: number | undefined;
  /** From the first record on, also what an earlier release decided; otherwise from the newest upgrade on. */
  readonly fromStart?: boolean;
  readonly progress?: (done: number, of: number) => void;
  /** What decides: the engine's rules by default. */
  readonly apply?: Apply;
}

/**
 * Applies the record log, from empty, from the state that the newest upgrade found or from where the log begins by now, with the functions that production uses, and compares all that they decide with what was
 * committed. Reads one snapshot of the database; writes nothing. Stops at the first disagreement.
 */
export function replay(options: ReplayOptions): Promise<ReplayReport> {
  return options.db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (db) => {
      // The history may keep it waiting between two pages.
      await sql`set local statement_timeout = 0`.execute(db);
      await sql`set local idle_in_transaction_session_timeout = 0`.execute(db);
      const steps = await SchemaSteps.read(db);
      const names = new MovedNames();
      const comparison = new DecisionComparison(await givenUp(db), steps, names);
      return await new Replay(db, options, steps, comparison).run();
    });
}

interface Decided {
  readonly rows: Decisions;
  readonly effects: Effects;
}

class Replay {
  readonly #db: Kysely<Tables>;
  readonly #options: ReplayOptions;
  readonly #steps: SchemaSteps;
  readonly #comparison: DecisionComparison;
  readonly #digest = createHash('sha256');
  readonly #remembered = new Remembered();
  #records = 0;
  /** Records up to here are not replayed. */
  #after = 0;
  /** Why they are not. */
  #skipped = '';
  #firstUs = 0;
  #lastUs = 0;

  constructor(db: Kysely<Tables>, options: ReplayOptions, steps: SchemaSteps, comparison: DecisionComparison) {
    this.#db = db;
    this.#options = options;
    this.#steps = steps;
    this.#comparison = comparison;
  }

  async run(): Promise<ReplayReport> {
    const head = (await this.#db.selectFrom('head').select('commit_seq').executeTakeFirst())?.commit_seq ?? 0;
    const upTo = Math.min(this.#options.until ?? head, head);
    let state = await this.#startState(upTo);
    const stored = new StoredDecisions(this.#db, this.#after);
    for await (const entry of readLog(this.#sources(), this.#after, upTo, PATIENCE_MS)) {
      state ??= this.#begin(entry);
      const { rows, effects } = this.#apply(state, entry);
      const disagreement = this.#comparison.compare(
        entry.commitSeq,
        await stored.of(entry.commitSeq),
        rows,
        effects.moved,
      );
      if (disagreement !== undefined) return this.#report(disagreement, []);
      this.#options.progress?.(entry.commitSeq, upTo);
    }
    if (state === null || upTo < head) return this.#report(undefined, [LATER_RECORDS]);
    return await this.#end(state);
  }

  #sources() {
    return { table: storedRecords(this.#db, this.#after), history: this.#options.history };
  }

  /** null = the log is replayed from its first record on. */
  async #startState(upTo: number): Promise<CoreState | null> {
    const beginning = await beginningOfLog(this.#db);
    if (beginning !== null && upTo <= beginning.commitSeq) throw notKept(beginning);
    const upgrade = this.#options.fromStart === true ? null : await readCheckpoint(this.#db);
    const usable = upgrade !== null && upgrade.commitSeq < (this.#options.until ?? upTo + 1) ? upgrade : null;
    if (usable !== null && usable.commitSeq > (beginning?.commitSeq ?? 0)) {
      this.#skipped = `records 1 to ${usable.commitSeq}, which an earlier release decided (see --from-start)`;
      return this.#startAfter(usable, Number.POSITIVE_INFINITY);
    }
    if (beginning === null) return null;
    this.#skipped = `records 1 to ${beginning.commitSeq}, until ${timeOf(beginning)}, which are not kept any more`;
    return this.#startAfter(beginning, beginning.nowUs);
  }

  #startAfter({ commitSeq, saved }: { commitSeq: number; saved: SavedState }, firstUs: number): CoreState {
    this.#after = commitSeq;
    this.#firstUs = firstUs;
    return loadState(saved);
  }

  #begin(entry: LogEntry): CoreState {
    this.#firstUs = entry.nowUs;
    return emptyState(firstConfig(entry));
  }

  #apply(state: CoreState, { commitSeq, nowUs, record }: LogEntry): Decided {
    const draft = begin(state);
    const effects = (this.#options.apply ?? apply)(draft, { commitSeq, nowUs }, record);
    install(draft);
    const made = new EffectRows();
    made.add(commitSeq, effects);
    this.#remembered.add(record, effects, made);
    const ordered = record.kind === 'operator' && effects.refusal === null;
    const rows: Decisions = {
      transitions: made.transitions,
      observations: made.observations,
      orders: ordered ? [orderRow(record, commitSeq, effects)] : [],
      directives: made.fleetDirectives.map((row) => ({ ...row, now_us: nowUs })),
      events: made.outbox,
    };
    for (const row of [...rows.transitions, ...rows.events]) this.#digest.update(`${JSON.stringify(row)}\n`);
    this.#records += 1;
    this.#lastUs = nowUs;
    return { rows, effects };
  }

  async #end(state: CoreState): Promise<ReplayReport> {
    const moved = this.#comparison.finish();
    if (moved !== undefined) return this.#report(moved, []);
    const { proposals, snapshots, watermarks } = this.#remembered;
    const { counts, disagreement } = await compareState(
      this.#db,
      { state, proposals, snapshots, watermarks, after: this.#after },
      this.#steps,
      this.#firstUs,
    );
    Object.assign(this.#comparison.counts, counts);
    return this.#report(disagreement, this.#firstUs < this.#steps.newestUs ? [ORDER] : []);
  }

  /** Of the state at the end any of the records may have made the difference. */
  #isEarlier({ commitSeq }: Disagreement): boolean {
    return (commitSeq === null ? this.#firstUs : this.#lastUs) < this.#steps.newestUs;
  }

  #report(disagreement: Disagreement | undefined, notCompared: readonly string[]): ReplayReport {
    const { counts, eventsGone, directivesGone, agedOut } = this.#comparison;
    const gone = [
      ...(this.#skipped === '' ? [] : [this.#skipped]),
      ...(eventsGone === 0 ? [] : [`${eventsGone} events, which the ledger has and the database keeps no more`]),
      ...(directivesGone === 0 ? [] : [`${directivesGone} directives for orchestrators, which are not kept any more`]),
      ...(agedOut === 0 ? [] : [`${agedOut} observations and transitions, which are not kept any more`]),
    ];
    return {
      records: this.#records,
      compared: counts,
      notCompared: [...gone, ...notCompared, TRANSPORT],
      digest: this.#digest.digest('hex'),
      disagreement: disagreement ?? null,
      decidedByEarlierRelease: disagreement !== undefined && this.#isEarlier(disagreement),
    };
  }
}

function timeOf({ nowUs }: LogBase): string {
  return new Date(nowUs / 1000).toISOString();
}

function notKept(beginning: LogBase): SentinelError {
  return new SentinelError({
    code: 'OUT_OF_RANGE',
    message: `records 1 to ${beginning.commitSeq} of the log, until ${timeOf(beginning)}, are not kept any more`,
    field: 'until',
    hint: 'Replay further; correlation_engine.database.retention.log_days says how long records are kept.',
  });
}

const ORDER = 'the order of members in what is stored, because an earlier release wrote some of it';
const LATER_RECORDS = 'the state, proposals and snapshots at the end of the log, because later records exist';
const TRANSPORT = 'what is archived, owners of nodes and numbers of the ledger: they decide nothing';

/** A log begins with the configuration that it was written under. */
function firstConfig({ record, commitSeq }: LogEntry) {
  if (record.kind === 'config') return record.config;
  throw new SentinelError({
    code: 'DATA_LOSS',
    message: `record ${commitSeq} of the log is of kind ${record.kind}, and a log begins with a configuration`,
    hint: 'The log was begun by an engine that this version cannot replay.',
  });
}

import { createHash } from 'node:crypto';
import { SentinelError } from '@sentinel/service-kit/errors';
import { type Kysely, sql } from 'kysely';
import { EffectRows } from '../commit/merge.js';
import { apply, begin, type CoreState, emptyState, install } from '../core.js';
import type { HistoryLog } from '../store/history/history-store.js';
import type { Tables } from '../store/schema.js';
import { type Difference, firstDifference } from './difference.js';
import { type LogEntry, readLog } from './read-log.js';
import { type Decisions, StoredDecisions, storedRecords } from './stored-log.js';

/** How long the archiving of what was committed a moment ago may take. */
const PATIENCE_MS = 30_000;

export interface ReplayOptions {
  readonly db: Kysely<Tables>;
  readonly history: Pick<HistoryLog, 'next'>;
  /** Last record that is replayed; undefined = all that are committed. */
  readonly until?: number | undefined;
  readonly progress?: (done: number, of: number) => void;
}

/** A place where the replay and the store disagree. */
export interface Disagreement extends Difference {
  /** For example "transitions of record 17" or "device GPU-…". */
  what: string;
}

export interface ReplayReport {
  records: number;
  transitions: number;
  observations: number;
  /** Events made, and those of them that the store still held to be compared; the ledger has the others. */
  events: number;
  eventsCompared: number;
  /** null = the state was not compared, because the replay stopped before the newest record. */
  devices: number | null;
  /** SHA-256 over every transition and event in order: equal for equal decisions. */
  digest: string;
  /** null = every byte is the same. */
  disagreement: Disagreement | null;
}

/**
 * Applies the record log from empty with the functions that production uses, and compares all that they decide with what was
 * committed. Reads one snapshot of the database; writes nothing. Stops at the first disagreement.
 */
export function replay(options: ReplayOptions): Promise<ReplayReport> {
  return options.db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (db) => {
      await sql`set local statement_timeout = 0`.execute(db);
      return await new Replay(db, options).run();
    });
}

class Replay {
  readonly #db: Kysely<Tables>;
  readonly #options: ReplayOptions;
  readonly #digest = createHash('sha256');
  readonly #counts = { records: 0, transitions: 0, observations: 0, events: 0, eventsCompared: 0 };

  constructor(db: Kysely<Tables>, options: ReplayOptions) {
    this.#db = db;
    this.#options = options;
  }

  async run(): Promise<ReplayReport> {
    const head = (await this.#db.selectFrom('head').select('commit_seq').executeTakeFirst())?.commit_seq ?? 0;
    const upTo = Math.min(this.#options.until ?? head, head);
    const stored = new StoredDecisions(this.#db);
    let state: CoreState | null = null;
    for await (const entry of readLog(this.#sources(), upTo, PATIENCE_MS)) {
      state ??= emptyState(firstConfig(entry));
      const decided = this.#apply(state, entry);
      const disagreement = this.#compare(entry.commitSeq, await stored.of(entry.commitSeq), decided);
      if (disagreement !== undefined) return this.#report(null, disagreement);
      this.#options.progress?.(entry.commitSeq, upTo);
    }
    if (state === null || upTo < head) return this.#report(null, null);
    return this.#report(state.devices.size, (await this.#compareState(state)) ?? null);
  }

  #sources() {
    return { table: storedRecords(this.#db), history: this.#options.history };
  }

  #apply(state: CoreState, { commitSeq, nowUs, record }: LogEntry): Decisions {
    const draft = begin(state);
    const effects = apply(draft, { commitSeq, nowUs }, record);
    install(draft);
    const rows = new EffectRows();
    rows.add(commitSeq, effects);
    return rows;
  }

  #compare(commitSeq: number, stored: Decisions, decided: Decisions): Disagreement | undefined {
    this.#counts.records += 1;
    this.#counts.transitions += decided.transitions.length;
    this.#counts.observations += decided.observations.length;
    this.#counts.events += decided.outbox.length;
    this.#counts.eventsCompared += stored.outbox.length;
    for (const row of [...decided.transitions, ...decided.outbox]) this.#digest.update(`${JSON.stringify(row)}\n`);
    const waiting = new Set(stored.outbox.map((row) => row.ordinal));
    const pairs: [string, object[], object[]][] = [
      ['transitions', stored.transitions, decided.transitions],
      ['observations', stored.observations, decided.observations],
      ['events', stored.outbox, decided.outbox.filter((row) => waiting.has(row.ordinal))],
    ];
    for (const [name, before, now] of pairs) {
      const difference = firstDifference(sorted(before), sorted(now));
      if (difference !== undefined) return { what: `${name} of record ${commitSeq}`, ...difference };
    }
    return undefined;
  }

  async #compareState(state: CoreState): Promise<Disagreement | undefined> {
    const devices = await this.#db.selectFrom('devices').select(['id', 'body']).orderBy('id').execute();
    const nodes = await this.#db.selectFrom('nodes').select(['node', 'body']).orderBy('node').execute();
    const facts = await this.#db.selectFrom('facts').selectAll().execute();
    const fact = (name: string) => facts.find((row) => row.name === name)?.body;
    return (
      different('device', new Map(devices.map(({ id, body }) => [id, body])), state.devices) ??
      different('node', new Map(nodes.map(({ node, body }) => [node, body])), state.nodes) ??
      named('fleet facts', firstDifference(fact('fleet') ?? state.fleet, state.fleet)) ??
      named('canaries', firstDifference(fact('canaries') ?? state.canaries, state.canaries)) ??
      named('configuration', firstDifference(fact('config'), state.config))
    );
  }

  #report(devices: number | null, disagreement: Disagreement | null): ReplayReport {
    return { ...this.#counts, devices, digest: this.#digest.digest('hex'), disagreement };
  }
}

/** A log begins with the configuration that it was written under. */
function firstConfig({ record, commitSeq }: LogEntry) {
  if (record.kind === 'config') return record.config;
  throw new SentinelError({
    code: 'DATA_LOSS',
    message: `record ${commitSeq} of the log is of kind ${record.kind}, and a log begins with a configuration`,
    hint: 'The log was begun by an engine that this version cannot replay.',
  });
}

function different<T>(
  what: string,
  stored: ReadonlyMap<string, T>,
  replayed: ReadonlyMap<string, T>,
): Disagreement | undefined {
  for (const id of [...new Set([...stored.keys(), ...replayed.keys()])].sort()) {
    const found = named(`${what} ${id}`, firstDifference(stored.get(id), replayed.get(id)));
    if (found !== undefined) return found;
  }
  return undefined;
}

function named(what: string, difference: Difference | undefined): Disagreement | undefined {
  return difference === undefined ? undefined : { what, ...difference };
}

/** Rows of one record, in an order of their own: a database keeps none. */
function sorted(rows: readonly object[]): unknown[] {
  const texts = rows.map((row) => JSON.stringify(Object.fromEntries(Object.entries(row).sort(byName))));
  return texts.sort().map((text) => JSON.parse(text) as unknown);
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : Number(a > b);
}

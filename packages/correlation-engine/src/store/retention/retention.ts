import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '@sentinel/service-kit/clock';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../schema.js';
import { moveBeginning, newestBase } from './log-bases.js';
import { pruneBases, pruneByTime, pruneLog } from './pruned.js';

const DAY_US = 86_400_000_000;
const EVERY_MS = 3_600_000;
/** Rows that one statement gives up: it holds its locks for milliseconds. */
export const PASS_ROWS = 2_000;
/** Between two statements, so that commits come first. */
const PASS_PAUSE_MS = 50;

/** What is given up because of its age. */
export const PRUNED = ['records', 'log_bases', 'observations', 'transitions', 'directives'] as const;
export type Pruned = (typeof PRUNED)[number];

export interface RetentionDays {
  readonly log: number;
  readonly observations: number;
  readonly transitions: number;
  readonly directives: number;
}

export interface RetentionParts {
  readonly db: Kysely<Tables>;
  readonly clock: Clock;
  /** As configured now. */
  readonly days: () => RetentionDays;
  /** Gives up at most `limit` directives from before then. @returns how many */
  readonly pruneDirectives: (beforeUs: number, limit: number) => Promise<number>;
  /** Asks for a copy of the state that the log can begin with. */
  readonly keepBase: () => void;
  readonly pruned: (what: Pruned, rows: number) => void;
  readonly failed: (error: unknown) => void;
}

/** Gives up what is older than the configuration says, now and once an hour, on the engine that decides. */
export class Retention {
  readonly #parts: RetentionParts;
  readonly #over = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(parts: RetentionParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#over.signal.aborted) {
      // What could not be given up now is given up an hour later.
      await this.#prune().catch(this.#parts.failed);
      await this.#pause(EVERY_MS);
    }
  }

  async #prune(): Promise<void> {
    const { db, days, pruneDirectives, keepBase } = this.#parts;
    const nowUs = await this.#nowUs();
    const before = (age: number): number => nowUs - age * DAY_US;
    const { log, observations, transitions, directives } = days();
    const newest = await newestBase(db);
    if (newest === null || newest.nowUs < before(log)) keepBase();
    await moveBeginning(db, before(log));
    await this.#inPasses('records', (limit) => pruneLog(db, limit));
    await this.#inPasses('log_bases', (limit) => pruneBases(db, limit));
    await this.#inPasses('observations', (limit) => pruneByTime(db, 'observations', before(observations), limit));
    await this.#inPasses('transitions', (limit) => pruneByTime(db, 'transitions', before(transitions), limit));
    await this.#inPasses('directives', (limit) => pruneDirectives(before(directives), limit));
  }

  /** By this machine's clock and the database's: one that is ahead must not give up what is young. */
  async #nowUs(): Promise<number> {
    const { rows } = await sql<{
      now: number;
    }>`select (extract(epoch from clock_timestamp()) * 1000000)::bigint as now`.execute(this.#parts.db);
    return Math.min(Number(this.#parts.clock.nowUs()), rows[0]?.now ?? 0);
  }

  async #inPasses(what: Pruned, pass: (limit: number) => Promise<number>): Promise<void> {
    while (!this.#over.signal.aborted) {
      const rows = await pass(PASS_ROWS);
      if (rows > 0) this.#parts.pruned(what, rows);
      if (rows < PASS_ROWS) return;
      await this.#pause(PASS_PAUSE_MS);
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#over.signal, ref: false }).catch(() => {});
  }
}

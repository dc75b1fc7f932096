import type { Kysely } from 'kysely';
import type { Effects } from '../core.js';
import { prunedBefore } from '../store/retention/pruned.js';
import type { Tables } from '../store/schema.js';
import { type Difference, firstDifference, inNameOrder } from './difference.js';
import type { MovedNames } from './moved-names.js';
import { type Compared, type Disagreement, named } from './report.js';
import type { SchemaSteps } from './schema-steps.js';
import type { Decisions } from './stored-log.js';

type Row = Readonly<Record<string, unknown>>;

/** Rows of each kind: what tells those of one record apart, and which column names the device, whose id may change later. */
const KINDS = {
  transitions: { key: ['event_id'], device: 'device_id' },
  observations: { key: ['spool_id', 'sequence', 'row', 'sm'], device: 'device_id' },
  orders: { key: ['directive_id'], device: 'gpu' },
  directives: { key: ['ordinal'], device: null },
  events: { key: ['ordinal'], device: null },
} as const satisfies Partial<Record<Compared, { key: readonly string[]; device: string | null }>>;

/** What the database keeps no more because of its age. */
export interface GivenUp {
  /** The newest directive for orchestrators. */
  readonly directive: { readonly commitSeq: number; readonly ordinal: number };
  /** Times before which there is none left, or is about to be none. */
  readonly observationsUs: number;
  readonly transitionsUs: number;
}

export async function givenUp(db: Kysely<Tables>): Promise<GivenUp> {
  const row = await db.selectFrom('directive_log').selectAll().executeTakeFirst();
  return {
    directive: { commitSeq: row?.pruned_commit_seq ?? 0, ordinal: row?.pruned_ordinal ?? 0 },
    observationsUs: await prunedBefore(db, 'observations'),
    transitionsUs: await prunedBefore(db, 'transitions'),
  };
}

/** Compares what each record decided, row by row, with what the store has of it. */
export class DecisionComparison {
  readonly counts: Partial<Record<Compared, number>> = {};
  /** Events that the ledger has, and directives that were given up: the database does not keep them. */
  eventsGone = 0;
  directivesGone = 0;
  /** Observations and transitions that were given up because of their age. */
  agedOut = 0;
  readonly #names: MovedNames;
  readonly #givenUp: GivenUp;
  readonly #steps: SchemaSteps;

  constructor(givenUp: GivenUp, steps: SchemaSteps, names: MovedNames) {
    this.#names = names;
    this.#givenUp = givenUp;
    this.#steps = steps;
  }

  compare(commitSeq: number, stored: Decisions, decided: Decisions, moved: Effects['moved']): Disagreement | undefined {
    for (const { from, to } of moved) {
      const disagreement = this.#names.moved(from, to, commitSeq);
      if (disagreement !== undefined) return disagreement;
    }
    const [still, recent] = [this.#recent(stored), this.#recent(decided)];
    this.agedOut += rowsOf(decided) - rowsOf(recent);
    const kept = { ...recent, events: this.#waiting(stored, decided), directives: this.#young(decided) };
    for (const kind of Object.keys(KINDS) as (keyof typeof KINDS)[]) {
      const before = inOrder(kind, still[kind]);
      const now = this.#underStoredNames(kind, before, inOrder(kind, kept[kind]));
      const difference = firstDifference(before, now);
      if (difference !== undefined)
        return named(`${kind} of record ${commitSeq}`, commitSeq, insideDetail(before, now) ?? difference);
      if (now.length > 0) this.counts[kind] = (this.counts[kind] ?? 0) + now.length;
    }
    return undefined;
  }

  /** At the newest record. */
  finish(): Disagreement | undefined {
    return this.#names.finish();
  }

  #waiting(stored: Decisions, decided: Decisions): Decisions['events'] {
    const waiting = new Set(stored.events.map((row) => row.ordinal));
    const kept = decided.events.filter((row) => waiting.has(row.ordinal));
    this.eventsGone += decided.events.length - kept.length;
    return kept;
  }

  /** Some of what is old may be there still: it is given up in passes. */
  #recent(rows: Decisions): Decisions {
    const { observationsUs, transitionsUs } = this.#givenUp;
    return {
      ...rows,
      observations: rows.observations.filter(({ time_us }) => time_us >= observationsUs),
      transitions: rows.transitions.filter(({ time_us }) => time_us >= transitionsUs),
    };
  }

  #young({ directives }: Decisions): Decisions['directives'] {
    const { commitSeq, ordinal } = this.#givenUp.directive;
    const sinceUs = this.#steps.at('0007-fleet-directives');
    const kept = directives.filter(
      (row) =>
        row.now_us >= sinceUs &&
        (row.commit_seq > commitSeq || (row.commit_seq === commitSeq && row.ordinal > ordinal)),
    );
    this.directivesGone += directives.length - kept.length;
    return kept;
  }

  #underStoredNames(kind: keyof typeof KINDS, stored: readonly Row[], decided: readonly Row[]): Row[] {
    const { device } = KINDS[kind];
    if (device === null) return [...decided];
    return decided.map((row, i) => {
      const here = stored[i]?.[device];
      if (typeof here !== 'string') return row;
      return { ...row, [device]: this.#names.nameOf(String(row[device]), here) };
    });
  }
}

function rowsOf({ observations, transitions }: Decisions): number {
  return observations.length + transitions.length;
}

/** Where the texts of events differ, which are JSON: the member of them. */
function insideDetail(stored: readonly Row[], decided: readonly Row[]): Difference | undefined {
  const parsed = (rows: readonly Row[]) =>
    rows.map((row) => ('detail' in row ? { ...row, detail: JSON.parse(String(row['detail'])) as unknown } : row));
  return firstDifference(parsed(stored), parsed(decided));
}

/** In an order of their own, members too: a database keeps none. */
function inOrder(kind: keyof typeof KINDS, rows: readonly object[]): Row[] {
  const keyOf = (row: Row): string => JSON.stringify(KINDS[kind].key.map((column) => row[column]));
  const plain = rows.map((row) => inNameOrder(row) as Row);
  return plain.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

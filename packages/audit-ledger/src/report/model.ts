/** A report as data: each figure says what it counts, so that whoever has the entries can count again. */
import type { LeafType } from '../leaf/leaf.js';

export const REPORT_FORMAT = 'sentinel-audit-report/2';

export type Framework = 'soc2' | 'iso27001';
export type TypeName = keyof typeof LeafType;

/** A condition on a member of the detail; a member that is absent counts as ''. */
export interface Where {
  readonly field: string;
  readonly is?: string | boolean;
  readonly not?: string | boolean;
  /** Differs from this other member. */
  readonly not_field?: string;
}

/** Entries of a type whose detail has this `event` and fits every condition. */
export interface Selector {
  readonly type: TypeName;
  readonly event: string;
  readonly where?: readonly Where[];
}

export interface FigureDefinition {
  readonly id: string;
  readonly label: string;
  /** Number of entries, the sum of a member, or how many different values a member has. */
  readonly count: 'entries' | { readonly sum: string } | { readonly distinct: string };
  readonly of: readonly Selector[];
}

export interface Figure extends FigureDefinition {
  readonly value: number;
  /** The same of entries made from test builds, which `value` leaves out. */
  readonly injected: number;
  /** The newest entries that were counted. */
  readonly cited: readonly number[];
  /** Counted and not cited. */
  readonly more: number;
}

export interface ControlDefinition {
  readonly id: string;
  readonly title: string;
  /** Where the standard has moved it since. */
  readonly today?: string;
  readonly shows: readonly FigureDefinition[];
  /** Sentences: what a reader might expect here and the log does not hold. */
  readonly not_shown: readonly string[];
}

export interface Control extends Omit<ControlDefinition, 'shows'> {
  readonly shows: readonly Figure[];
}

/** How many stood behind an action. */
export type Persons = 'two persons' | 'engine and one person' | 'one person';

export interface Action {
  readonly seq: number;
  /** Event time. */
  readonly time: string;
  readonly event: string;
  readonly gpu: string;
  readonly node: string;
  readonly injected: boolean;
  readonly what: string;
  readonly actor: string;
  readonly proposed_by: string;
  readonly persons: Persons;
  readonly reason: string;
}

export interface CitedEntry {
  readonly seq: number;
  readonly received: string;
  readonly time: string;
  readonly type: TypeName;
  readonly event: string;
  readonly gpu: string;
  readonly injected: boolean;
  readonly actor: string;
}

export interface TypeCount {
  readonly entries: number;
  readonly injected: number;
  /** By the seals alone: their leaves are gone. */
  readonly pruned: number;
}

/** Everything in it follows from the entries. */
export interface Tallied {
  readonly entries: {
    readonly total: number;
    readonly by_type: { readonly [type in TypeName]?: TypeCount };
    readonly details: number;
    readonly details_missing: number;
    readonly leaves_pruned: number;
    /** Pruned, and under no seal that lies within the period. */
    readonly pruned_of_unknown_type: number;
  };
  readonly events: readonly {
    readonly type: TypeName;
    readonly event: string;
    readonly entries: number;
    readonly injected: number;
  }[];
  readonly seals: {
    /** Whose range lies within the period. */
    readonly inside: number;
    /** Of these: what they state is what is there. */
    readonly agree: number;
    readonly first: number | null;
    readonly last: number | null;
    /** A seal does not begin where the one before ended. */
    readonly broken: number;
  };
  readonly hours: {
    readonly from: string;
    readonly to: string;
    readonly total: number;
    /** Hours in which the ledger took nothing from anybody. */
    readonly silent: number;
    readonly silent_ranges: readonly (readonly [string, string])[];
  };
  readonly controls: readonly Control[];
  readonly actions: readonly Action[];
  readonly actions_more: number;
  readonly cited: readonly CitedEntry[];
}

export interface Report extends Tallied {
  readonly format: typeof REPORT_FORMAT;
  readonly framework: Framework;
  /** Version of the definitions by which it was counted. */
  readonly definitions: number;
  readonly title: string;
  readonly log: {
    readonly origin: string;
    readonly verifier_key: string;
    readonly size: number;
    readonly root: string;
  };
  readonly period: {
    /** All that the ledger took in [from, to), ISO 8601; '' = bounded by the number of an entry, not by a time. */
    readonly from: string;
    readonly to: string;
    readonly first: number;
    readonly last: number;
    readonly first_received: string;
    readonly last_received: string;
  };
}

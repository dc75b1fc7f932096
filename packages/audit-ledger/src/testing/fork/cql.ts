/** The little of CQL that the ledger speaks; anything else is an error. */
import type { types } from 'cassandra-driver';
import type { Value } from './memory-cluster.js';

type Columns = Readonly<Record<string, Value>>;

export interface Query {
  readonly kind: 'select' | 'put' | 'delete';
  readonly table: string;
  /** Columns of a select. */
  readonly columns: readonly string[];
  /** Columns that are set, those of the key among them. */
  readonly values: Columns;
  readonly where: readonly { holds(row: Columns): boolean }[];
  readonly conditions: readonly { readonly column: string; readonly value: Value }[];
  /** IF NOT EXISTS. */
  readonly onlyNew: boolean;
  readonly timestamp: number | undefined;
}

const SELECT = /^SELECT (.+?) FROM (\w+)(?: WHERE (.+))?$/s;
const INSERT = /^INSERT INTO (\w+) \((.+?)\) VALUES \(.+?\)( IF NOT EXISTS)?(?: USING TIMESTAMP (\?))?$/s;
const UPDATE = /^UPDATE (\w+) SET (.+?) WHERE (.+?)(?: IF (.+))?$/s;
const DELETE = /^DELETE FROM (\w+)(?: USING TIMESTAMP (\?))? WHERE (.+)$/s;
const TERM = /^(\w+) (=|<|>=) \?$/;

const NOTHING = { columns: [], values: {}, where: [], conditions: [], onlyNew: false, timestamp: undefined };

export function parseCql(text: string, params: readonly unknown[]): Query {
  const rest = params.map(plain);
  const select = SELECT.exec(text);
  if (select !== null) {
    const [, columns = '', table = '', where] = select;
    return { ...NOTHING, kind: 'select', table, columns: names(columns), where: terms(where, rest).map(filter) };
  }
  const insert = INSERT.exec(text);
  if (insert !== null) {
    const [, table = '', columns = '', onlyNew, timestamp] = insert;
    const values = Object.fromEntries(names(columns).map((name) => [name, next(rest)]));
    const at = timestamp === undefined ? undefined : Number(next(rest));
    return { ...NOTHING, kind: 'put', table, values, onlyNew: onlyNew !== undefined, timestamp: at };
  }
  const update = UPDATE.exec(text);
  if (update !== null) {
    const [, table = '', set = '', where = '', conditions] = update;
    const assigned = terms(set.replaceAll(', ', ' AND '), rest);
    const key = terms(where, rest);
    const values = Object.fromEntries([...assigned, ...key].map(({ column, value }) => [column, value]));
    return { ...NOTHING, kind: 'put', table, values, conditions: terms(conditions, rest) };
  }
  const [, table, timestamp, where] = DELETE.exec(text) ?? [];
  if (table === undefined) throw new Error(`the model does not know ${text}`);
  const at = timestamp === undefined ? undefined : Number(next(rest));
  return { ...NOTHING, kind: 'delete', table, timestamp: at, where: terms(where, rest).map(filter) };
}

export function columnsOf(row: Columns, wanted: readonly string[]): types.Row {
  return Object.fromEntries(wanted.map((name) => [name, row[name]])) as unknown as types.Row;
}

interface Term {
  readonly column: string;
  readonly operator: string;
  readonly value: Value;
}

function terms(text: string | undefined, rest: Value[]): Term[] {
  return (text?.split(/ AND /) ?? []).map((each) => {
    const [, column, operator] = TERM.exec(each.trim()) ?? [];
    if (column === undefined || operator === undefined) throw new Error(`the model does not know ${each}`);
    return { column, operator, value: next(rest) };
  });
}

function filter({ column, operator, value }: Term): { holds(row: Columns): boolean } {
  return {
    holds: (row) => {
      const found = row[column];
      if (operator === '<') return Number(found) < Number(value);
      if (operator === '>=') return Number(found) >= Number(value);
      return Buffer.isBuffer(value) ? Buffer.isBuffer(found) && value.equals(found) : found === value;
    },
  };
}

function names(text: string): string[] {
  return text.split(',').map((name) => name.trim());
}

function next(rest: Value[]): Value {
  const value = rest.shift();
  if (value === undefined) throw new Error('a statement lacks a parameter');
  return value;
}

/** The driver's 64-bit integers as numbers, which is what they were. */
function plain(param: unknown): Value {
  if (typeof param === 'string' || typeof param === 'number' || Buffer.isBuffer(param)) return param;
  if (param instanceof Uint8Array) return Buffer.from(param);
  return Number(param);
}

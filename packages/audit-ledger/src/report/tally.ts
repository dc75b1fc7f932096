/** Counts a range of entries, one after the other, into all that a report states of them. */

import { LEDGER_PRODUCER } from '../commit/ledger-producer.js';
import { type Leaf, LeafType } from '../leaf/leaf.js';
import { Actions } from './actions.js';
import { FigureCount } from './figure-count.js';
import { Hours } from './hours.js';
import type { CitedEntry, ControlDefinition, Tallied, TypeName } from './model.js';
import { SealCheck } from './seal-check.js';
import { type Detail, isoOf, text } from './values.js';

const TYPE_NAMES = new Map<LeafType, TypeName>(
  Object.entries(LeafType).map(([name, type]) => [type, name as TypeName]),
);

interface Count {
  entries: number;
  injected: number;
}

export interface TalliedEntry {
  readonly seq: number;
  /** Undefined where it was pruned. */
  readonly leaf: Leaf | undefined;
  /** Undefined where it is not there. */
  readonly detail: Detail | undefined;
}

export class Tally {
  readonly #controls: readonly ControlDefinition[];
  readonly #figures: readonly FigureCount[][];
  readonly #seals: SealCheck;
  readonly #actions = new Actions();
  readonly #hours = new Hours();
  readonly #types = new Map<TypeName, Count>();
  readonly #events = new Map<string, Count>();
  readonly #facts = new Map<number, CitedEntry>();
  #total = 0;
  #details = 0;
  #leavesPruned = 0;

  constructor(controls: readonly ControlDefinition[], first: number) {
    this.#controls = controls;
    this.#figures = controls.map(({ shows }) => shows.map((definition) => new FigureCount(definition)));
    this.#seals = new SealCheck(first);
  }

  add({ seq, leaf, detail }: TalliedEntry): void {
    this.#total += 1;
    if (detail !== undefined) this.#details += 1;
    if (leaf === undefined) {
      this.#leavesPruned += 1;
      this.#seals.add(undefined);
      return;
    }
    const type = typeNameOf(leaf.type);
    count(this.#types, type, leaf.injected);
    this.#seals.add(type);
    if (leaf.producer !== LEDGER_PRODUCER) this.#hours.add(leaf.receivedUs);
    if (detail !== undefined) this.#read(seq, leaf, type, detail);
  }

  finish(fromUs: number, toUs: number): Tallied {
    const controls = this.#controls.map((control, i) => ({
      ...control,
      shows: (this.#figures[i] ?? []).map((figure) => figure.figure()),
    }));
    const { rows, more } = this.#actions.finish();
    const seals = this.#seals.finish();
    return {
      entries: {
        total: this.#total,
        by_type: this.#byType(seals.pruned),
        details: this.#details,
        details_missing: this.#total - this.#details,
        leaves_pruned: this.#leavesPruned,
        pruned_of_unknown_type: this.#leavesPruned - [...seals.pruned.values()].reduce((sum, n) => sum + n, 0),
      },
      events: this.#eventCounts(),
      seals: seals.summary,
      hours: this.#hours.finish(fromUs, toUs),
      controls,
      actions: rows,
      actions_more: more,
      cited: this.#cited([
        ...controls.flatMap(({ shows }) => shows.flatMap(({ cited }) => cited)),
        ...rows.map(({ seq }) => seq),
        ...seals.cited,
      ]),
    };
  }

  #read(seq: number, leaf: Leaf, type: TypeName, detail: Detail): void {
    const event = text(detail['event']);
    count(this.#events, `${type}/${event}`, leaf.injected);
    if (type === 'system' && event === 'seal' && leaf.producer === LEDGER_PRODUCER) this.#seals.seal(seq, detail);
    let cited = this.#actions.take(seq, leaf, detail);
    for (const figure of this.#figures.flat()) cited = figure.take(seq, type, leaf.injected, detail) || cited;
    if (!cited && event !== 'seal') return;
    const { receivedUs, eventUs, gpu, injected } = leaf;
    const actor = text(detail['actor']);
    this.#facts.set(seq, { seq, received: isoOf(receivedUs), time: isoOf(eventUs), type, event, gpu, injected, actor });
    if (this.#facts.size > MAX_FACTS) this.#forget();
  }

  /** Facts of entries that newer ones have pushed out of every list. */
  #forget(): void {
    const wanted = new Set([
      ...this.#figures.flat().flatMap((figure) => figure.figure().cited),
      ...this.#actions.seqs(),
      ...this.#seals.finish().cited,
    ]);
    for (const seq of this.#facts.keys()) if (!wanted.has(seq)) this.#facts.delete(seq);
  }

  #cited(seqs: readonly number[]): CitedEntry[] {
    const facts = [...new Set(seqs)].toSorted((a, b) => a - b).map((seq) => this.#facts.get(seq));
    return facts.filter((fact) => fact !== undefined);
  }

  #byType(pruned: ReadonlyMap<TypeName, number>): Tallied['entries']['by_type'] {
    const names = [...TYPE_NAMES.values()].filter((name) => this.#types.has(name) || (pruned.get(name) ?? 0) > 0);
    const rows = names.map((name) => {
      const { entries, injected } = this.#types.get(name) ?? { entries: 0, injected: 0 };
      return [name, { entries, injected, pruned: pruned.get(name) ?? 0 }] as const;
    });
    return Object.fromEntries(rows);
  }

  #eventCounts(): Tallied['events'] {
    return [...this.#events]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { entries, injected }]) => {
        const slash = name.indexOf('/');
        return { type: name.slice(0, slash) as TypeName, event: name.slice(slash + 1), entries, injected };
      });
  }
}

/** Facts kept at a time: above what every list together can cite. */
const MAX_FACTS = 200_000;

export function typeNameOf(type: LeafType): TypeName {
  const name = TYPE_NAMES.get(type);
  if (name === undefined) throw new RangeError(`no type ${type}`);
  return name;
}

function count<K>(counts: Map<K, Count>, key: K, injected: boolean): void {
  const before = counts.get(key) ?? { entries: 0, injected: 0 };
  before.entries += injected ? 0 : 1;
  before.injected += injected ? 1 : 0;
  counts.set(key, before);
}

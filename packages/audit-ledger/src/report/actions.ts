/** What people did: entries that name an actor, and how many stood behind each. */
import type { Leaf } from '../leaf/leaf.js';
import type { Action, Persons } from './model.js';
import { type Detail, isoOf, text } from './values.js';

/** Rows listed: the newest. */
const MAX_ACTIONS = 10_000;
const MAX_REASON = 300;

interface Noted extends Omit<Action, 'persons'> {
  /** The id under which it was ordered; '' = none. */
  readonly order: string;
}

export class Actions {
  #rows: Noted[] = [];
  #more = 0;
  /** How many stood behind each approval, by the id of what was approved. */
  readonly #approvals = new Map<string, Persons>();

  /** @returns whether somebody did it */
  take(seq: number, leaf: Leaf, detail: Detail): boolean {
    const [actor, proposedBy] = [text(detail['actor']), text(detail['proposed_by'])];
    if (actor === '' && proposedBy === '') return false;
    const event = text(detail['event']);
    if (event === 'approval_approved') this.#approvals.set(text(detail['directive']), personsOf(actor, proposedBy));
    this.#rows.push({
      seq,
      time: isoOf(leaf.eventUs),
      event,
      gpu: leaf.gpu,
      node: text(detail['node']),
      injected: leaf.injected,
      what: whatOf(detail),
      actor,
      proposed_by: proposedBy,
      reason: (text(detail['decision_reason']) || text(detail['actor_reason']) || text(detail['reason'])).slice(
        0,
        MAX_REASON,
      ),
      order: text(detail['directive']) || text(detail['order']),
    });
    if (this.#rows.length > MAX_ACTIONS) {
      this.#rows.shift();
      this.#more += 1;
    }
    return true;
  }

  seqs(): number[] {
    return this.#rows.map(({ seq }) => seq);
  }

  finish(): { rows: Action[]; more: number } {
    const rows = this.#rows.map(({ order, reason, ...row }) => ({
      ...row,
      persons: this.#approvals.get(order) ?? ('one person' as const),
      reason,
    }));
    return { rows, more: this.#more };
  }
}

function personsOf(actor: string, proposedBy: string): Persons {
  if (proposedBy === '') return 'engine and one person';
  return actor === proposedBy ? 'one person' : 'two persons';
}

/** The change in a few words. */
function whatOf(detail: Detail): string {
  const [from, to, action] = [text(detail['from']), text(detail['to']), text(detail['action'])];
  if (from !== '' && to !== '') return `${from} to ${to}`;
  return action || text(detail['incident']) || text(detail['version']);
}

import type { LiveUpdate } from '../bus/live-updates.js';
import { cursorText } from './live-cursor.js';
import type { Missed } from './live-log.js';

/** Text of a stream of server-sent events about one fleet. */
export class EventText {
  readonly #fleet: string;

  constructor(fleet: string) {
    this.#fleet = fleet;
  }

  /** Only the last event of a transaction has an id: who comes back with it has seen all of it. */
  updates({ commitSeq, updates }: Missed): string {
    const id = this.#id(commitSeq);
    const events = updates.map((update, i) => event(update.kind, dataOf(update), i === updates.length - 1 ? id : ''));
    // An id alone moves the reader's place and tells it nothing.
    return events.length === 0 ? `${id}\n` : events.join('');
  }

  /** Where the stream begins: what happened before is in the answer to GET /api/v1/fleet. */
  start(head: number): string {
    return event('start', { commit_seq: head }, this.#id(head));
  }

  /** Something may be missing before this: the reader asks for the whole anew. */
  reset(head: number, reason: string): string {
    return event('reset', { commit_seq: head, reason }, this.#id(head));
  }

  #id(commitSeq: number): string {
    return `id: ${cursorText(this.#fleet, commitSeq)}\n`;
  }
}

/** Why nothing more comes; the reader's place stays where it is. */
export function endText(reason: string): string {
  return event('end', { reason }, '');
}

/** A comment, which readers ignore: the connection is alive. */
export const HEARTBEAT_TEXT = ': still here\n\n';

function event(name: string, data: object, id: string): string {
  return `${id}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

function dataOf(update: LiveUpdate): object {
  const { injected, timeUs, reason, actor } = update;
  const common = { reason, actor, injected, time_us: timeUs };
  switch (update.kind) {
    case 'state':
      return { gpu: update.gpu, node: update.node, from: update.from, to: update.to, ...common };
    case 'incident': {
      const { incident, change, pattern, family, node } = update;
      return { incident, change, pattern, family, node, ...common };
    }
    case 'directive':
      return { id: update.id, action: update.action, gpu: update.gpu, node: update.node, ...common };
  }
}

import type { LiveUpdate, LiveUpdates } from '../bus/live-updates.js';
import { cursorText, type LiveCursor } from './live-cursor.js';

/** Text of a stream of server-sent events. Only the last event of a record has an id: who comes back with it has seen all of that record. */
export function updatesText({ commitSeq, nowUs, updates }: LiveUpdates): string {
  const id = `id: ${cursorText({ commitSeq, nowUs })}\n`;
  const events = updates.map((update, i) => event(update.kind, dataOf(update), i === updates.length - 1 ? id : ''));
  // An id alone moves the reader's place and tells it nothing.
  return events.length === 0 ? `${id}\n` : events.join('');
}

/** Where the stream begins: what happened before is in the answer to GET /api/v1/fleet. */
export function startText(head: LiveCursor): string {
  return event('start', { commit_seq: head.commitSeq }, `id: ${cursorText(head)}\n`);
}

/** Something may be missing before this: the reader asks for the whole anew. */
export function resetText(head: LiveCursor, reason: string): string {
  return event('reset', { commit_seq: head.commitSeq, reason }, `id: ${cursorText(head)}\n`);
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

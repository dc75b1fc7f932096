import type { Decision } from './decisions.js';
import type { Finding } from './reconcile.js';

/** An event as the ledger was sent it, once for each time. */
export interface SentEvent {
  /** Its place in what the engine's database ever sends: from 1 on, without a gap. */
  readonly number: number;
  readonly eventId: string;
  /** Type, device, time and detail. */
  readonly content: string;
}

export interface EventFindings {
  readonly lost: Finding[];
  readonly doubled: Finding[];
}

/**
 * What the ledger was sent, repetitions included, against what was decided: each number is one event for good, each event has one
 * number, no two events say the same, and each decision is among them.
 */
export function compareEvents(decisions: readonly Decision[], sent: readonly SentEvent[]): EventFindings {
  const found: EventFindings = { lost: [], doubled: [] };
  const lose = (what: string): unknown => found.lost.push({ where: 'ledger', what, runs: 1 });
  const double = (what: string): unknown => found.doubled.push({ where: 'ledger', what, runs: 1 });
  const byNumber = new Map<number, SentEvent>();
  const numbers = new Map<string, number>();
  const contents = new Map<string, string>();
  for (const event of sent) {
    const { number, eventId, content } = event;
    const before = byNumber.get(number);
    if (before !== undefined && (before.eventId !== eventId || before.content !== content))
      double(`number ${number} was event ${before.eventId}, and later ${eventId} or another text`);
    const otherNumber = numbers.get(eventId);
    if (otherNumber !== undefined && otherNumber !== number)
      double(`event ${eventId} has the numbers ${otherNumber} and ${number}`);
    const otherId = contents.get(content);
    if (otherId !== undefined && otherId !== eventId) double(`${otherId} and ${eventId} say the same: ${content}`);
    byNumber.set(number, event);
    numbers.set(eventId, number);
    contents.set(content, eventId);
  }
  for (let number = 1; number <= byNumber.size; number += 1)
    if (!byNumber.has(number)) lose(`number ${number} of ${byNumber.size} was never sent`);
  for (const { eventId, device, to } of decisions)
    if (!numbers.has(eventId)) lose(`${device} > ${to} (${eventId}) is not in the ledger`);
  return found;
}

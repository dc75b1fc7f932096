import { editNode, nodeOf } from '../evidence/draft.js';
import type { ToldEvents } from '../evidence/model/node.js';
import { forget, type Step } from '../evidence/step.js';

/** Of one kind, told one by one within an hour, unless more are to be; a job that alarms at every step must not fill the ledger. */
export const MOST_TOLD = 16;
const HOUR_US = 3_600_000_000;
/** Kinds kept apart on one node; the one that was quiet for longest makes room. */
const MAX_KINDS = 32;

/**
 * Is the ledger told of one more event of this kind from a monitor of this node? All are counted: the next that is told says how many were
 * not.
 * @returns the number of those that the ledger was not told of before this one; null = nor is it of this one
 */
export function untoldBefore(step: Step, node: string, kind: string, most = MOST_TOLD): number | null {
  const { nowUs } = step.ctx;
  const before = nodeOf(step.draft, node)?.jobEvents;
  if (nodeOf(step.draft, node) === undefined) return 0;
  const known = before?.find((entry) => entry.kind === kind) ?? { kind, sinceUs: nowUs, told: 0, untold: 0 };
  const begun = nowUs < known.sinceUs + HOUR_US ? known : { ...known, sinceUs: nowUs, told: 0 };
  const tell = begun.told < most;
  const now: ToldEvents = tell ? { ...begun, told: begun.told + 1, untold: 0 } : { ...begun, untold: begun.untold + 1 };
  const others = (before ?? []).filter((entry) => entry.kind !== kind);
  forget(step, 'job_events', others.length + 1 - MAX_KINDS);
  editNode(step.draft, node).jobEvents = [now, ...others].slice(0, MAX_KINDS);
  return tell ? begun.untold : null;
}

import { editFleet, fleetOf } from '../evidence/draft.js';
import { confirmIncident, releaseIncident } from '../evidence/incidents.js';
import type { Incident } from '../evidence/model/fleet.js';
import type { IncidentOrderRecord, LedgerRollbackRecord, RateLimitResetRecord } from '../evidence/record.js';
import { emit, type Step } from '../evidence/step.js';
import { uncordon } from './node-fault.js';
import { reviewAll } from './review.js';

/** Confirms or releases an incident. The same answer again changes nothing. */
export function applyIncidentOrder(step: Step, record: IncidentOrderRecord): void {
  const incident = fleetOf(step.draft).incidents.find(({ id }) => id === record.incident);
  if (incident === undefined) {
    step.effects.refusal = {
      code: 'NOT_FOUND',
      message: `No incident ${record.incident} is known.`,
      hint: 'List them with `npx sentinel incidents list`.',
    };
    return;
  }
  const wanted = record.decision === 'CONFIRM' ? 'CONFIRMED' : 'RELEASED';
  if (incident.state === wanted) return;
  if (incident.endedUs !== null) return refuse(step, incident);
  if (record.decision === 'CONFIRM') confirmIncident(step, incident.id, record);
  else {
    releaseIncident(step, incident.id, record);
    uncordon(step, incident, record);
  }
  reviewAll(step);
}

function refuse(step: Step, { id, state }: Incident): void {
  const message = `Incident ${id} is ${state} already.`;
  step.effects.refusal = { code: 'ILLEGAL_TRANSITION', message, hint: 'Nothing needs to be done about it.' };
}

/** Quarantines that the limit holds go on at once, up to the limit. */
export function applyRateLimitReset(step: Step, { actor, reason }: RateLimitResetRecord): void {
  const forgotten = fleetOf(step.draft).automaticQuarantinesUs.length;
  editFleet(step.draft).automaticQuarantinesUs = [];
  const subject = { gpu: '', eventUs: step.ctx.nowUs, injected: false };
  emit(step, 'APPROVAL', subject, { event: 'rate_limit_reset', actor, reason, quarantines_last_day: forgotten });
  reviewAll(step);
}

/** Nothing but the event, which is the first that the ledger is told of itself. */
export function applyLedgerRollback(step: Step, record: LedgerRollbackRecord): void {
  const { actor, reason, knownEntries, entries, lostFrom, sentAgain, notKeptUntil, decisions, decisionsTotal } = record;
  const subject = { gpu: '', eventUs: step.ctx.nowUs, injected: false };
  emit(step, 'APPROVAL', subject, {
    event: 'ledger_rollback_accepted',
    actor,
    reason,
    known_entries: knownEntries,
    entries,
    lost_from: lostFrom,
    sent_again: sentAgain,
    not_kept_until: notKeptUntil,
    lost_decisions: decisions.map((each) => ({ ...each })),
    lost_decisions_total: decisionsTotal,
  });
}

import { membersDetail } from '../canary/answer.js';
import { type CanaryMember, type ClosedCanary, MAX_CLOSED, type OpenCanary } from '../canary/facts.js';
import { planSnapshot } from '../canary/snapshot.js';
import { compared } from '../canary/trust.js';
import { type Verdict, vote } from '../canary/vote.js';
import { canariesOf, configOf, deviceOf, editCanaries } from '../evidence/draft.js';
import { familyName } from '../evidence/families.js';
import { emit, forget, type Step } from '../evidence/step.js';
import { accuseDissenter } from './accuse-dissenter.js';
import { needsReview, review } from './review.js';

/** Those whose time is over: who has not answered does not vote. */
export function closeDueCanaries(step: Step): void {
  for (const { id, dueUs } of canariesOf(step.draft).open) if (dueUs <= step.ctx.nowUs) closeCanary(step, id);
}

/** Counts the votes, records the outcome, and gives whoever was outvoted one hard failure. */
export function closeCanary(step: Step, id: string): void {
  const facts = canariesOf(step.draft);
  const canary = facts.open.find((entry) => entry.id === id);
  if (canary === undefined) return;
  const ballots = canary.members.map(({ deviceId, answer }) => ({ deviceId, digests: answer?.digests ?? [] }));
  const verdict = vote(ballots);
  const closed = closedOf(canary, verdict, step.ctx.nowUs);
  step.effects.closedCanaries.push(closed);
  editCanaries(step.draft, {
    open: facts.open.filter((entry) => entry !== canary),
    closed: [closed, ...facts.closed].slice(0, MAX_CLOSED),
  });
  if (configOf(step.draft).trust_graph.enabled) {
    const before = canariesOf(step.draft);
    const graph = compared(before, canary.cohort, ballots, step.ctx.nowUs);
    forget(step, 'trust_edge', graph.edgesForgotten - before.edgesForgotten);
    editCanaries(step.draft, graph);
    planSnapshot(step);
  }
  for (const { node, deviceId, directiveId, answer } of canary.members)
    if (answer === null) step.effects.directives.push({ op: 'cancel', node, deviceId, id: directiveId });
  announce(step, canary, closed);
  for (const dissent of verdict.dissents) accuseDissenter(step, canary, verdict, dissent);
  for (const { deviceId } of verdict.dissents) if (needsReview(step, deviceId)) review(step, deviceId);
}

function closedOf(canary: OpenCanary, verdict: Verdict, nowUs: number): ClosedCanary {
  return {
    id: canary.id,
    family: canary.family,
    gpus: canary.members.map(({ deviceId }) => deviceId),
    outcome: verdict.outcome,
    dissenters: verdict.dissents.map(({ deviceId }) => deviceId),
    silent: canary.members.filter(isSilent).map(({ deviceId }) => deviceId),
    openedUs: canary.openedUs,
    closedUs: nowUs,
  };
}

function isSilent({ answer }: CanaryMember): boolean {
  return answer === null || answer.digests.every((digest) => digest === 0);
}

function announce(step: Step, canary: OpenCanary, { outcome, dissenters, silent, closedUs }: ClosedCanary): void {
  const type = outcome === 'AGREED' || outcome === 'TIMEOUT' ? 'PROBE' : 'ANOMALY';
  const injected = canary.members.some(
    ({ deviceId, answer }) => answer?.testBuild === true || deviceOf(step.draft, deviceId)?.testBuild === true,
  );
  emit(
    step,
    type,
    { gpu: dissenters[0] ?? '', eventUs: closedUs, injected },
    {
      event: 'canary_closed',
      canary: canary.id,
      outcome,
      family: familyName(canary.family),
      epoch: canary.epoch,
      index: canary.index,
      members: membersDetail(canary),
      dissenters: [...dissenters],
      silent: [...silent],
      tie_break_for: canary.suspect ?? '',
    },
  );
}

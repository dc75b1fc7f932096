import type { CanaryFacts, ClosedCanary, OpenCanary, TrustEdge } from './facts.js';

/**
 * A device keeps its history under another id, because other hardware has its old one now: what is known of agreement moves with
 * it, and the new hardware begins without any. What an open canary asks of it stays unanswered: the new hardware was not asked.
 */
export function movedCanaries(facts: CanaryFacts, from: string, to: string): CanaryFacts {
  const named = (id: string): string => (id === from ? to : id);
  return {
    ...facts,
    tieBreaks: facts.tieBreaks.map((entry) => ({ ...entry, deviceId: named(entry.deviceId) })),
    open: facts.open.map((canary) => movedOpen(canary, named)),
    closed: facts.closed.map((canary) => movedClosed(canary, named)),
    trust: Object.fromEntries(
      Object.entries(facts.trust).map(([cohort, edges]) => [cohort, edges.map((edge) => movedEdge(edge, named))]),
    ),
  };
}

type Named = (id: string) => string;

function movedOpen(canary: OpenCanary, named: Named): OpenCanary {
  const members = canary.members.map((member) => ({ ...member, deviceId: named(member.deviceId) }));
  return { ...canary, suspect: canary.suspect === null ? null : named(canary.suspect), members };
}

function movedClosed(canary: ClosedCanary, named: Named): ClosedCanary {
  const { gpus, dissenters, silent } = canary;
  return { ...canary, gpus: gpus.map(named), dissenters: dissenters.map(named), silent: silent.map(named) };
}

/** The ends of an edge stay in order, by which it is found. */
function movedEdge(edge: TrustEdge, named: Named): TrustEdge {
  const [a, b] = [named(edge.a), named(edge.b)];
  return a < b ? { ...edge, a, b } : { ...edge, a: b, b: a };
}

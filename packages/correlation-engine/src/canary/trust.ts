import type { CanaryFacts, TrustEdge } from './facts.js';
import { type Ballot, digestOf } from './vote.js';

/** Cohorts that edges are kept of, and edges of one cohort: a sample that says who disagrees, in bounded memory. */
export const MAX_COHORTS = 64;
export const MAX_EDGES = 256;

type Graph = Pick<CanaryFacts, 'trust' | 'edgesForgotten'>;

/** Counts, for each pair of devices that executed one seed, whether they computed the same. */
export function compared(graph: Graph, cohort: string, ballots: readonly Ballot[], timeUs: number): Graph {
  const pairs = pairsOf(ballots.filter(({ digests }) => digests.some((digest) => digest !== 0)));
  let known = graph.trust[cohort] ?? [];
  let forgotten = graph.edgesForgotten;
  for (const [one, other] of pairs) {
    known = counted(known, one, other, timeUs);
    if (known.length <= MAX_EDGES) continue;
    known = known.filter((edge) => edge !== leastTelling(known));
    forgotten += 1;
  }
  const trust = { ...graph.trust, [cohort]: known };
  const cohorts = Object.keys(trust);
  if (cohorts.length <= MAX_COHORTS) return { trust, edgesForgotten: forgotten };
  const oldest = cohorts.reduce((a, b) => (newest(trust[b]) < newest(trust[a]) ? b : a));
  const { [oldest]: dropped = [], ...rest } = trust;
  return { trust: rest, edgesForgotten: forgotten + dropped.length };
}

function pairsOf(ballots: readonly Ballot[]): [Ballot, Ballot][] {
  const sorted = [...ballots].sort((a, b) => (a.deviceId < b.deviceId ? -1 : 1));
  return sorted.flatMap((one, i) => sorted.slice(i + 1).map((other): [Ballot, Ballot] => [one, other]));
}

function counted(edges: readonly TrustEdge[], one: Ballot, other: Ballot, timeUs: number): TrustEdge[] {
  const [a, b] = [one.deviceId, other.deviceId];
  const same = agree(one.digests, other.digests);
  const before = edges.find((edge) => edge.a === a && edge.b === b);
  const { agreed = 0, disagreed = 0, lastUs = 0 } = before ?? {};
  const edge = {
    a,
    b,
    agreed: agreed + (same ? 1 : 0),
    disagreed: disagreed + (same ? 0 : 1),
    lastUs: Math.max(lastUs, timeUs),
  };
  return [...edges.filter((entry) => entry !== before), edge];
}

/** Every SM that ran computed one and the same. */
function agree(one: readonly number[], other: readonly number[]): boolean {
  const digest = digestOf(one);
  return digest !== 0 && [...one, ...other].every((mine) => mine === 0 || mine === digest);
}

/** The edge that is missed least: without a disagreement if there is one, and of those the one that was not renewed for longest. */
function leastTelling(edges: readonly TrustEdge[]): TrustEdge | undefined {
  const clean = edges.filter(({ disagreed }) => disagreed === 0);
  return (clean.length > 0 ? clean : edges).reduce((a, b) => (b.lastUs < a.lastUs ? b : a));
}

function newest(edges: readonly TrustEdge[] = []): number {
  return Math.max(0, ...edges.map(({ lastUs }) => lastUs));
}

import type { ProbeFamily } from '@sentinel/contracts/sentinel/v1/common.js';
import {
  CanaryOutcome_Outcome,
  type GetTrustGraphRequest,
  type GetTrustGraphResponse,
  type TrustedDevice,
} from '@sentinel/contracts/sentinel/v1/trust.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Kysely } from 'kysely';
import type { Committer } from '../commit/committer.js';
import type { ClosedCanary, CoreState, TrustEdge, TrustSnapshot } from '../core.js';
import type { Tables } from '../store/schema.js';
import { findDevice } from './find-device.js';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 10_000;

/** Who computed the same as whom, now or as the newest snapshot before a time has it. @throws SentinelError NOT_FOUND */
export async function getTrustGraph(
  { state, head }: Committer,
  db: Kysely<Tables>,
  { gpu, limit, atUs }: GetTrustGraphRequest,
): Promise<GetTrustGraphResponse> {
  const id = gpu === '' ? '' : findDevice(state, gpu).id;
  const { takenUs, graph } =
    atUs === 0n ? { takenUs: head.nowUs, graph: state.canaries } : await snapshotBefore(db, Number(atUs));
  const count = limit === 0 ? DEFAULT_LIMIT : Math.min(limit, MAX_LIMIT);
  const edges = Object.values(graph.trust)
    .flat()
    .filter(({ a, b }) => id === '' || a === id || b === id);
  const canaries = graph.closed.filter(({ gpus }) => id === '' || gpus.includes(id));
  return {
    atUs: BigInt(takenUs),
    devices: devicesOf(state, edges).slice(0, count),
    edges: edges.toSorted(byDisagreement).slice(0, count).map(edgeMessage),
    canaries: canaries.slice(0, count).map(canaryMessage),
    edgeCount: edges.length,
    edgesForgotten: BigInt(graph.edgesForgotten),
    brokenGoldens: brokenGoldensOf(state),
  };
}

async function snapshotBefore(db: Kysely<Tables>, atUs: number): Promise<TrustSnapshot> {
  const row = await db
    .selectFrom('trust_snapshots')
    .selectAll()
    .where('taken_us', '<=', atUs)
    .orderBy('taken_us', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (row !== undefined) return { takenUs: row.taken_us, graph: row.body };
  throw new SentinelError({
    code: 'NOT_FOUND',
    message: 'there is no snapshot of the trust graph from then or before',
    field: 'at_us',
    hint: 'Snapshots are taken every trust_graph.snapshot_interval_seconds while devices are compared.',
  });
}

function brokenGoldensOf({ nodes }: CoreState) {
  return [...nodes.values()].flatMap(({ node, brokenGoldens = [] }) =>
    brokenGoldens.map(({ family, sinceUs }) => ({
      node,
      family: family as ProbeFamily,
      sinceUs: BigInt(sinceUs),
    })),
  );
}

/** The least trusted first. */
function devicesOf(state: CoreState, edges: readonly TrustEdge[]): TrustedDevice[] {
  const sums = new Map<string, { agreed: number; disagreed: number }>();
  for (const { a, b, agreed, disagreed } of edges) {
    for (const gpu of [a, b]) {
      const sum = sums.get(gpu) ?? { agreed: 0, disagreed: 0 };
      sums.set(gpu, { agreed: sum.agreed + agreed, disagreed: sum.disagreed + disagreed });
    }
  }
  const devices = [...sums].map(([gpu, { agreed, disagreed }]) => ({
    gpu,
    node: state.devices.get(gpu)?.node ?? '',
    agreed: BigInt(agreed),
    disagreed: BigInt(disagreed),
    trust: (agreed + 1) / (agreed + disagreed + 2),
  }));
  return devices.sort((one, other) => one.trust - other.trust || (one.gpu < other.gpu ? -1 : 1));
}

function byDisagreement(one: TrustEdge, other: TrustEdge): number {
  return other.disagreed - one.disagreed || other.lastUs - one.lastUs;
}

function edgeMessage({ a, b, agreed, disagreed, lastUs }: TrustEdge) {
  return { gpuA: a, gpuB: b, agreed: BigInt(agreed), disagreed: BigInt(disagreed), lastUs: BigInt(lastUs) };
}

function canaryMessage({ id, family, gpus, outcome, dissenters, silent, openedUs, closedUs }: ClosedCanary) {
  return {
    canaryId: id,
    family: family as ProbeFamily,
    gpus: [...gpus],
    outcome: CanaryOutcome_Outcome[outcome],
    dissenters: [...dissenters],
    silent: [...silent],
    openedUs: BigInt(openedUs),
    closedUs: BigInt(closedUs),
  };
}

import { GpuState, type ProbeFamily, type RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import {
  CauseProbability_Cause,
  type ExplainDecisionResponse,
  GateOutcome_Verdict,
  type Observation,
  type Transition,
  type UnitPosterior,
} from '@sentinel/contracts/sentinel/v1/health.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Kysely } from 'kysely';
import type { Committer } from '../commit/committer.js';
import { type DeviceState, type Explanation, explain, type HealthState } from '../core.js';
import type { ObservationTable, Tables, TransitionTable } from '../store/schema.js';
import { gpuHealth } from './health-view.js';
import { newestFirst } from './newest-first.js';

/** Newest ones shown. */
const MAX_OBSERVATIONS = 100;
const MAX_TRANSITIONS = 100;

/** Everything behind a device's state: what the core says of it, and the stored observations and transitions. */
export async function explainDecision(
  committer: Committer,
  db: Kysely<Tables>,
  device: DeviceState,
  nowUs: number,
): Promise<ExplainDecisionResponse> {
  const [observations, transitions] = await Promise.all([observationsOf(db, device.id), transitionsOf(db, device)]);
  const explanation = explain(committer.state, device.id, nowUs);
  if (explanation === undefined)
    throw new SentinelError({ code: 'NOT_FOUND', message: `no device ${device.id}`, field: 'gpu' });
  const known = committer.state.devices.get(device.id) ?? device;
  return {
    health: gpuHealth(committer, known),
    sentences: explanation.sentences,
    gates: explanation.gates.map((gate) => ({
      ...gate,
      verdict: GateOutcome_Verdict[gate.verdict],
      evaluatedUs: BigInt(gate.evaluatedUs),
    })),
    observations: observations.map(toObservation),
    transitions: transitions.map(toTransition),
    whatWouldChange: explanation.whatWouldChange,
    hardObservations: explanation.hardObservations,
    answers: explanation.answers,
    probability: explanation.probability,
    probabilityNeeded: explanation.probabilityNeeded,
    causes: explanation.causes.map(({ cause, probability }) => ({ cause: CAUSES[cause], probability })),
    units: explanation.units.map((unit) => toUnit(known, unit)),
    patterns: explanation.patterns.map(({ sinceUs, ...pattern }) => ({ ...pattern, sinceUs: BigInt(sinceUs) })),
    reinstatement: {
      units: explanation.reinstatement.map(({ family, sm, clean, needed }) => ({
        family: family as ProbeFamily,
        sm,
        clean: BigInt(clean),
        needed: BigInt(needed),
      })),
    },
  };
}

const CAUSES = {
  chance: CauseProbability_Cause.CHANCE,
  unit: CauseProbability_Cause.UNIT,
  gpu: CauseProbability_Cause.GPU,
  node: CauseProbability_Cause.NODE,
  cohort: CauseProbability_Cause.COHORT,
} as const;

function toUnit(device: DeviceState, { family, sm, odds, probability }: Explanation['units'][number]): UnitPosterior {
  const unit = device.units.find((entry) => entry.family === family && entry.sm === sm);
  const clean =
    unit === undefined || unit.posterior === null ? 0 : Math.floor(unit.posterior.same + unit.posterior.other);
  return {
    family: family as ProbeFamily,
    sm,
    odds,
    probability,
    counted: unit?.counted ?? 0,
    cleanSince: BigInt(clean),
  };
}

function observationsOf(db: Kysely<Tables>, deviceId: string): Promise<ObservationTable[]> {
  return db
    .selectFrom('observations')
    .selectAll()
    .where('device_id', '=', deviceId)
    .orderBy('commit_seq', 'desc')
    .orderBy('row', 'desc')
    .limit(MAX_OBSERVATIONS)
    .execute();
}

async function transitionsOf(db: Kysely<Tables>, { id, state }: DeviceState): Promise<TransitionTable[]> {
  const rows = await db
    .selectFrom('transitions')
    .selectAll()
    .where('device_id', '=', id)
    .orderBy('commit_seq', 'desc')
    .limit(MAX_TRANSITIONS)
    .execute();
  return newestFirst(rows, state);
}

function toObservation(row: ObservationTable): Observation {
  return {
    timeUs: BigInt(row.time_us),
    family: row.family as ProbeFamily,
    sm: row.sm,
    kind: row.kind as RunKind,
    epoch: row.epoch,
    index: row.seed_index,
    lane: row.lane,
    iteration: row.iteration,
    operands: row.operands,
    expected: row.expected,
    actual: row.actual,
    mismatchCount: row.mismatch_count,
    siblingsRun: row.siblings_run,
    siblingsPassed: row.siblings_passed,
    siblingsSameDigest: row.siblings_same_digest,
    counted: row.counted,
    heldBy: row.held_by ?? '',
    injected: row.injected,
    spoolId: Buffer.from(row.spool_id, 'hex'),
    sequence: BigInt(row.sequence),
    row: row.row,
    commitSeq: BigInt(row.commit_seq),
    node: row.node,
    warp: row.warp ?? undefined,
    subPartition: row.sub_partition ?? undefined,
    withinIterations: row.within_iterations ?? undefined,
    address: row.address ?? undefined,
  };
}

export function toTransition(row: TransitionTable): Transition {
  return {
    timeUs: BigInt(row.time_us),
    from: GpuState[row.from_state as HealthState],
    to: GpuState[row.to_state as HealthState],
    reason: row.reason,
    injected: row.injected,
    eventId: Buffer.from(row.event_id, 'hex'),
    commitSeq: BigInt(row.commit_seq),
    actor: row.actor,
    evidence: row.evidence ?? [],
    ...(row.ledger_seq === null ? {} : { ledgerSeq: BigInt(row.ledger_seq) }),
  };
}

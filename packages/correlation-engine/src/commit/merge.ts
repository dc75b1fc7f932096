import type {
  CounterIncrement,
  Effects,
  FleetDirective,
  ObservationEffect,
  OperatorRecord,
  ProposalEffect,
  TransitionEffect,
} from '../core.js';
import { canonicalJson } from '../outbox/canonical-json.js';
import type { MovedRow, OutboxRow } from '../store/commit-rows.js';
import type {
  CounterTable,
  FleetDirectiveTable,
  ObservationTable,
  OrderTable,
  ProposalTable,
  Tables,
  TransitionTable,
} from '../store/schema.js';

/** Rows of what the records of one transaction did, in order. */
export class EffectRows {
  readonly observations: ObservationTable[] = [];
  readonly transitions: Omit<TransitionTable, 'ledger_seq'>[] = [];
  readonly outbox: OutboxRow[] = [];
  readonly moved: MovedRow[] = [];
  readonly trustSnapshots: Tables['trust_snapshots'][] = [];
  readonly fleetDirectives: Omit<FleetDirectiveTable, 'now_us'>[] = [];
  readonly #proposals = new Map<string, ProposalTable>();
  readonly #counters = new Map<string, CounterTable>();

  get counters(): CounterTable[] {
    return [...this.#counters.values()];
  }

  /** As each stands after the transaction. */
  get proposals(): ProposalTable[] {
    return [...this.#proposals.values()];
  }

  add(commitSeq: number, effects: Effects): void {
    for (const { from, to } of effects.moved) this.#move(from, to);
    for (const increment of effects.counters) this.#count(increment);
    for (const observation of effects.observations) this.observations.push(observationRow(observation));
    for (const transition of effects.transitions) this.transitions.push(transitionRow(transition));
    for (const effect of effects.proposals) this.#propose(proposalRow(commitSeq, effect));
    for (const { takenUs: taken_us, graph: body } of effects.trustSnapshots)
      this.trustSnapshots.push({ taken_us, body });
    for (const [ordinal, directive] of effects.fleetDirectives.entries())
      this.fleetDirectives.push(fleetDirectiveRow(commitSeq, ordinal, directive));
    for (const [ordinal, event] of effects.outbox.entries()) {
      const { eventId: event_id, type, gpu, eventUs: event_us, injected } = event;
      this.outbox.push({
        commit_seq: commitSeq,
        ordinal,
        event_id,
        type,
        gpu,
        event_us,
        injected,
        detail: canonicalJson(event.detail),
      });
    }
  }

  /** A later row of a proposal changes its outcome, as the statement that writes it does. */
  #propose(row: ProposalTable): void {
    const gpu = this.#proposals.get(row.id)?.gpu ?? row.gpu;
    this.#proposals.set(row.id, { ...row, gpu });
  }

  /** What earlier records of the transaction said of the id was about the hardware before. */
  #move(from: string, to: string): void {
    // Stored rows belong to the hardware that had the id before this transaction.
    if (!this.moved.some(({ from_id }) => from_id === from)) this.moved.push({ from_id: from, to_id: to });
    for (const row of [...this.observations, ...this.transitions]) if (row.device_id === from) row.device_id = to;
    for (const row of this.#proposals.values()) if (row.gpu === from) row.gpu = to;
    for (const [key, row] of [...this.#counters]) {
      if (row.device_id !== from) continue;
      this.#counters.delete(key);
      this.#add({ ...row, device_id: to });
    }
  }

  /** A row per (device, family), whatever the number of batches. */
  #count(increment: CounterIncrement): void {
    const { deviceId, family, runs, executions, failures, notRun, firstRunUs, lastRunUs } = increment;
    const counts = { runs, executions, failures, not_run: notRun };
    this.#add({ device_id: deviceId, family, ...counts, last_run_us: lastRunUs, first_run_us: firstRunUs });
  }

  #add(row: CounterTable): void {
    const key = `${row.family}|${row.device_id}`;
    const sum = this.#counters.get(key);
    if (sum === undefined) {
      this.#counters.set(key, row);
      return;
    }
    const times = [sum.first_run_us, row.first_run_us].filter((us) => us !== null);
    sum.runs += row.runs;
    sum.executions += row.executions;
    sum.failures += row.failures;
    sum.not_run += row.not_run;
    sum.last_run_us = Math.max(sum.last_run_us, row.last_run_us);
    sum.first_run_us = times.length === 0 ? null : Math.min(...times);
  }
}

function observationRow(o: ObservationEffect): ObservationTable {
  return {
    node: o.node,
    spool_id: o.spoolId,
    sequence: o.sequence,
    row: o.row,
    sm: o.sm,
    commit_seq: o.commitSeq,
    device_id: o.deviceId,
    time_us: o.timeUs,
    family: o.family,
    kind: o.kind,
    epoch: o.epoch,
    seed_index: o.index,
    lane: o.lane,
    iteration: o.iteration,
    operands: o.operands,
    expected: o.expected,
    actual: o.actual,
    expected_digest: o.expectedDigest,
    actual_digest: o.actualDigest,
    mismatch_count: o.mismatchCount,
    siblings_run: o.siblingsRun,
    siblings_passed: o.siblingsPassed,
    siblings_same_digest: o.siblingsSameDigest,
    sm_stable: o.smStable,
    counted: o.counted,
    answer: o.answer,
    held_by: o.heldBy,
    injected: o.injected,
    warp: o.warp ?? null,
    sub_partition: o.subPartition ?? null,
    within_iterations: o.withinIterations ?? null,
    address: o.address ?? null,
  };
}

function transitionRow(t: TransitionEffect): Omit<TransitionTable, 'ledger_seq'> {
  return {
    event_id: t.eventId,
    commit_seq: t.commitSeq,
    device_id: t.deviceId,
    time_us: t.timeUs,
    from_state: t.from,
    to_state: t.to,
    reason: t.reason,
    actor: t.actor,
    injected: t.injected,
    evidence: orNull(t.evidence),
  };
}

function fleetDirectiveRow(
  commitSeq: number,
  ordinal: number,
  { id, action, gpu, node, reason, actor, from, to, timeUs, injected }: FleetDirective,
): Omit<FleetDirectiveTable, 'now_us'> {
  const place = { commit_seq: commitSeq, ordinal, id, action, gpu, node, reason, actor };
  return { ...place, from_state: from, to_state: to, time_us: timeUs, injected };
}

function proposalRow(commitSeq: number, effect: ProposalEffect): ProposalTable {
  const { id, action, cause, reason, proposedBy, proposedUs, expiresUs, evidence } = effect.proposal;
  return {
    id,
    gpu: effect.deviceId,
    action,
    cause,
    reason,
    proposed_by: proposedBy,
    proposed_us: proposedUs,
    expires_us: expiresUs,
    outcome: effect.outcome,
    decided_by: effect.decidedBy,
    decided_us: effect.decidedUs,
    decision_reason: effect.decisionReason,
    commit_seq: commitSeq,
    event_id: effect.eventId,
    evidence: orNull(evidence),
  };
}

/** Of an order that was carried out. */
export function orderRow(record: OperatorRecord, commitSeq: number, effects: Effects): OrderTable {
  const { directiveId: directive_id, gpu, action, reason, actor } = record;
  return {
    directive_id,
    gpu,
    action,
    reason,
    actor,
    commit_seq: commitSeq,
    event_id: effects.transitions[0]?.eventId ?? null,
    requires_approval: record.requiresApproval ?? false,
    evidence: orNull(record.evidence),
  };
}

/** As a nullable array is stored. */
function orNull(texts: readonly string[] = []): string[] | null {
  return texts.length === 0 ? null : [...texts];
}

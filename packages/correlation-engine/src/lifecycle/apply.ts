import { type DecisionModel, posteriorOdds } from '../evidence/decision.js';
import { type Draft, goldensOf } from '../evidence/draft.js';
import type { Effects } from '../evidence/effects.js';
import type { EventSource } from '../evidence/event-id.js';
import { ALL_GATES } from '../evidence/gates/outcome.js';
import type { CommitContext, CoreRecord } from '../evidence/record.js';
import { newStep, type Step } from '../evidence/step.js';
import { applyAgentEvents } from './on-agent-events.js';
import { applyAnomaly } from './on-anomaly.js';
import { applyApproval } from './on-approval.js';
import { applyBatch } from './on-batch.js';
import { applyComparison } from './on-comparison.js';
import { applyConfig } from './on-config.js';
import { applyDirectiveStatus } from './on-directive-status.js';
import { applyIncidentOrder, applyLedgerRollback, applyRateLimitReset } from './on-fleet-order.js';
import { applyGap } from './on-gap.js';
import { applyHello } from './on-hello.js';
import { applyMonitorReport } from './on-monitor-report.js';
import { applyNodeLeft } from './on-node-left.js';
import { applyOperator } from './on-operator.js';
import { applyPause, applySchedule } from './on-probe-control.js';
import { applySpan } from './on-span.js';
import { applyTelemetry } from './on-telemetry.js';
import { applyTimer } from './on-timer.js';

/**
 * Applies one committed record: mutates the draft, returns what else has to be committed with it. Deterministic: the same
 * records in the same order give the same bytes. Never throws for what a sender may have put into a record that `checkBatch`
 * or `checkHello` accepted. Records of one draft carry increasing commitSeq.
 */
export function apply(
  draft: Draft,
  ctx: CommitContext,
  record: CoreRecord,
  model: DecisionModel = posteriorOdds,
  gates = ALL_GATES,
): Effects {
  draft.cohorts.settle(draft);
  const step = newStep(draft, ctx, sourceOf(ctx, record), model, gates);
  dispatch(step, record);
  return step.effects;
}

export type Apply = typeof apply;

function sourceOf(ctx: CommitContext, record: CoreRecord): EventSource {
  if (!('spoolId' in record)) return { kind: 'record', commitSeq: ctx.commitSeq };
  return { kind: 'uplink', node: record.node, spoolId: record.spoolId, sequence: record.sequence };
}

function dispatch(step: Step, record: CoreRecord): void {
  switch (record.kind) {
    case 'hello':
      applyHello(step, record);
      break;
    case 'batch':
      applyBatch(step, record);
      break;
    case 'gap':
      applyGap(step, record);
      break;
    case 'agent-events':
      applyAgentEvents(step, record);
      break;
    case 'telemetry':
      applyTelemetry(step, record);
      break;
    case 'operator':
      applyOperator(step, record);
      break;
    case 'approval':
      applyApproval(step, record);
      break;
    case 'pause':
      applyPause(step, record);
      break;
    case 'schedule':
      applySchedule(step, record);
      break;
    case 'incident-order':
      applyIncidentOrder(step, record);
      break;
    case 'rate-limit-reset':
      applyRateLimitReset(step, record);
      break;
    case 'ledger-rollback':
      applyLedgerRollback(step, record);
      break;
    case 'anomaly':
      applyAnomaly(step, record);
      break;
    case 'comparison':
      applyComparison(step, record);
      break;
    case 'monitor-report':
      applyMonitorReport(step, record);
      break;
    case 'directive-status':
      applyDirectiveStatus(step, record);
      break;
    case 'config':
      applyConfig(step, record);
      break;
    case 'timer':
      applyTimer(step);
      break;
    case 'resumed':
      goldensOf(step.draft).forget();
      break;
    case 'node-left':
      applyNodeLeft(step, record);
      break;
    case 'span':
      applySpan(step, record);
      break;
  }
}

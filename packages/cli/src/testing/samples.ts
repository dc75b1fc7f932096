import { type AuditEntry, AuditType } from '@sentinel/contracts/sentinel/v1/audit.js';
import { GpuState, ProbeFamily, RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import {
  DeviceTelemetry,
  ExplainDecisionResponse,
  FleetSummary,
  GateOutcome_Verdict,
  GpuHealth,
  HistoryRun,
  Observation,
  Transition,
} from '@sentinel/contracts/sentinel/v1/health.js';
import {
  IssueDirectiveRequest_Action,
  PendingDirective,
  PendingDirective_Cause,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';

/** 2026-03-01 12:00:00 UTC. */
export const NOW_US = 1_772_366_400_000_000n;
export const GPU = 'GPU-8932f937-d72c-4106-c12f-20bd9faed9f6';

export function gpuSample(over: Partial<GpuHealth> = {}): GpuHealth {
  return GpuHealth.fromPartial({
    gpu: GPU,
    node: 'node-1',
    identity: 'certificate',
    model: 'NVIDIA H100 80GB HBM3',
    state: GpuState.QUARANTINED,
    injected: true,
    score: 0.5933,
    connected: true,
    lastSeenUs: NOW_US - 4_000_000n,
    stateSinceUs: NOW_US - 60_000_000n,
    executions: 1_234_567n,
    failures: 248n,
    families: [{ family: ProbeFamily.FMA32, runs: 9_000n, executions: 1_234_567n, failures: 248n, smsCovered: 132 }],
    directives: [
      { id: 'b1', kind: 'burst', family: ProbeFamily.FMA32, sm: 1, done: 240n, wanted: 1_000n, failures: 3n },
    ],
    buildId: '41af5b1145866bc2',
    summary: 'fma32 on SM 1: burst 240 of 1000',
    sms: 132,
    ...over,
  });
}

export function observationSample(over: Partial<Observation> = {}): Observation {
  return Observation.fromPartial({
    timeUs: NOW_US - 50_000_000n,
    family: ProbeFamily.FMA32,
    sm: 1,
    kind: RunKind.SCHEDULED,
    epoch: 179_554_881,
    lane: 6,
    iteration: 9,
    operands: [0xbf1cb59b, 0xc7242f87, 0x4688bef4],
    expected: [0xbbcf2f9e, 0x00007446],
    actual: [0xbbcf2f9e, 0x00007546],
    mismatchCount: 53,
    siblingsRun: 7,
    siblingsPassed: 7,
    counted: true,
    injected: true,
    spoolId: Buffer.from('0123456789abcdef'),
    sequence: 12n,
    ...over,
  });
}

export function transitionSample(over: Partial<Transition> = {}): Transition {
  return Transition.fromPartial({
    timeUs: NOW_US - 60_000_000n,
    from: GpuState.SUSPECT,
    to: GpuState.QUARANTINED,
    reason: 'fma32 on SM 1: 2 hard observations, of which 1 in answer to the first; a quarantine needs 2 and 1.',
    injected: true,
    ledgerSeq: 5n,
    eventId: Buffer.from('fedcba9876543210'),
    commitSeq: 44n,
    ...over,
  });
}

export function pendingSample(over: Partial<PendingDirective> = {}): PendingDirective {
  return PendingDirective.fromPartial({
    directiveId: 'proposal-0123456789abcdef01234567',
    gpu: GPU,
    action: IssueDirectiveRequest_Action.CONDEMN,
    cause: PendingDirective_Cause.MAX_QUARANTINE,
    reason: 'Out of service for 720 hours or more without being cleared.',
    proposedUs: NOW_US - 7_200_000_000n,
    expiresUs: NOW_US + 252_000_000_000n,
    node: 'node-1',
    state: GpuState.QUARANTINED,
    ...over,
  });
}

const GATES = ['integrity', 'locality', 'cohort', 'dwell', 'breadth', 'node', 'rate-limit'];

export function explainSample(): ExplainDecisionResponse {
  return ExplainDecisionResponse.fromPartial({
    health: gpuSample(),
    sentences: ['QUARANTINED: two wrong results, the second in answer to the first, and no gate holds it for now.'],
    gates: GATES.map((name, i) => ({
      number: i + 1,
      name,
      verdict: name === 'breadth' ? GateOutcome_Verdict.NOT_EVALUABLE : GateOutcome_Verdict.PASS,
      reason: `The reason that the gate ${name} gives is a sentence which needs more than one line of a terminal.`,
      inputs: { registered_nodes: '1', setting: `gates.${name}` },
      evaluatedUs: NOW_US,
    })),
    observations: [observationSample(), observationSample({ counted: false, heldBy: 'locality', siblingsRun: 0 })],
    transitions: [
      transitionSample(),
      transitionSample({ ledgerSeq: undefined, actor: 'operator token', evidence: ['INC-17'] }),
    ],
    whatWouldChange: ['HEALTHY: an operator orders REINSTATE.'],
    hardObservations: 2,
    answers: 1,
    units: [{ family: ProbeFamily.FMA32, sm: 1, counted: 2 }],
    reinstatement: { units: [{ family: ProbeFamily.FMA32, sm: 1, clean: 12n, needed: 1_000n }] },
  });
}

export function summarySample(over: Partial<FleetSummary> = {}): FleetSummary {
  return FleetSummary.fromPartial({
    gpus: 2,
    healthy: 1,
    quarantined: 1,
    nodes: 1,
    connectedAgents: 1,
    executions: 1_234_567n,
    failures: 248n,
    mode: 'enforce',
    outboxPending: 3n,
    injectedGpus: 1,
    ...over,
  });
}

export function telemetrySample(over: Partial<DeviceTelemetry> = {}): DeviceTelemetry {
  return DeviceTelemetry.fromPartial({
    timeUs: NOW_US - 7_000_000n,
    values: {
      temperature_c: 61,
      power_instant_w: 355.25,
      power_limit_w: 700,
      clock_sm_mhz: 1_980,
      clock_event_reasons: 0x24,
      ecc_uncorrected_volatile_total: 2,
      ecc_corrected_volatile_total: 0,
      row_remap_pending: 1,
      nvlink_links: 18,
      nvlink_links_active: 17,
    },
    texts: { driver_version: '550.54.15' },
    ...over,
  });
}

export function runSample(over: Partial<HistoryRun> = {}): HistoryRun {
  return HistoryRun.fromPartial({
    timeUs: NOW_US,
    family: ProbeFamily.INT_AES,
    kind: RunKind.DEEP_TEST,
    epoch: 179_554_881,
    index: 3,
    smsPlanned: 4,
    smsRun: 3,
    failedSms: [2],
    injected: true,
    ...over,
  });
}

export function entrySample(detail: string, over: Partial<AuditEntry> = {}): AuditEntry {
  return {
    seq: 7n,
    leaf: Buffer.alloc(0),
    detailSalt: Buffer.alloc(16),
    detail: Buffer.from(detail),
    type: AuditType.DECISION,
    producer: 'correlation-engine/1',
    gpu: GPU,
    eventUs: NOW_US,
    receivedUs: NOW_US,
    injected: true,
    eventId: Buffer.alloc(16),
    detailPruned: false,
    ...over,
  };
}

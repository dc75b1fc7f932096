import { stripVTControlCharacters } from 'node:util';
import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import {
  FleetSummary,
  GateOutcome,
  GateOutcome_Verdict,
  GpuHealth,
  type QueryFleetHealthResponse,
} from '@sentinel/contracts/sentinel/v1/health.js';
import type { ProcessStatus } from '../managed-process.js';
import type { Snapshot } from '../status-view.js';

/** 2026-03-01 12:00:00 UTC. */
export const NOW_US = 1_772_366_400_000_000n;
export const GPU = 'CPU-0558648a-7bf4-5d33-b394-01ab256aa5a5';

export function processSample(over: Partial<ProcessStatus> = {}): ProcessStatus {
  const nothing = { restarts: 0, lastEnd: '', exitStatus: null, lastWords: '' };
  return { name: 'engine', state: 'running', pid: 12, ...nothing, ...over };
}

export function gpuSample(over: Partial<GpuHealth> = {}): GpuHealth {
  return GpuHealth.fromPartial({
    gpu: GPU,
    node: 'vm',
    state: GpuState.HEALTHY,
    score: 0.99,
    connected: true,
    lastSeenUs: NOW_US - 2_000_000n,
    executions: 24n,
    summary: 'no mismatch',
    ...over,
  });
}

export function fleetSample(gpus: GpuHealth[] = [gpuSample()]): QueryFleetHealthResponse {
  const summary = { gpus: 1, healthy: 1, nodes: 1, connectedAgents: 1, executions: 24n, mode: 'enforce' };
  return { gpus, nextPageToken: '', summary: FleetSummary.fromPartial(summary) };
}

export function snapshotSample(over: Partial<Snapshot> = {}): Snapshot {
  return {
    processes: [processSample()],
    fleet: fleetSample(),
    gates: new Map(),
    problem: '',
    nowUs: NOW_US,
    ...over,
  };
}

export const GATES: readonly GateOutcome[] = (
  [
    ['integrity', 'PASS'],
    ['locality', 'PASS'],
    ['dwell', 'HOLD'],
    ['breadth', 'NOT_EVALUABLE'],
  ] as const
).map(([name, verdict], i) => GateOutcome.fromPartial({ number: i + 1, name, verdict: GateOutcome_Verdict[verdict] }));

/** Lines as they read, whatever the environment says about colours. */
export function plain(lines: readonly string[]): string[] {
  return lines.map((line) => stripVTControlCharacters(line));
}

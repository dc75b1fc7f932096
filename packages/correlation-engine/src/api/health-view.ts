import { GpuState, type ProbeFamily } from '@sentinel/contracts/sentinel/v1/common.js';
import type {
  DirectiveProgress,
  FamilyCounters,
  FleetSummary,
  GpuHealth,
} from '@sentinel/contracts/sentinel/v1/health.js';
import type { Committer, Counters } from '../commit/committer.js';
import {
  type CoreState,
  type DeviceState,
  type DirectiveState,
  type Exposure,
  isInjected,
  summarize,
} from '../core.js';

/** One device as the queries show it. */
export function gpuHealth(committer: Committer, device: DeviceState): GpuHealth {
  const { state } = committer;
  const counters = committer.countersOf(device.id);
  const sum = (read: (row: Exposure) => number): bigint =>
    BigInt([...counters.values()].reduce((total, row) => total + read(row), 0));
  const { summary, score, injected } = summarize(state, device, committer.head.nowUs);
  return {
    gpu: device.id,
    node: device.node,
    identity: device.identity,
    model: device.model,
    state: GpuState[device.state],
    wouldBe: device.wouldBe === null ? GpuState.UNSPECIFIED : GpuState[device.wouldBe],
    injected,
    score: score.score,
    connected: isConnected(state, device),
    lastSeenUs: BigInt(Math.max(0, ...[...counters.values()].map((row) => row.lastRunUs))),
    stateSinceUs: BigInt(device.stateSinceUs),
    executions: sum((row) => row.executions),
    failures: sum((row) => row.failures),
    families: familyCounters(device, counters),
    directives: device.directives.map(directiveProgress),
    buildId: device.buildId,
    summary,
    note: device.note,
    sms: device.sms.length,
    serial: device.serial,
    slot: device.slot,
    replacedBy: device.replaced?.by ?? '',
    replacedUs: BigInt(device.replaced?.us ?? 0),
  };
}

export function isConnected(state: CoreState, device: DeviceState): boolean {
  return device.announced && state.nodes.get(device.node)?.connected === true;
}

function familyCounters(device: DeviceState, counters: Counters): FamilyCounters[] {
  const families = new Set([...device.families.map(({ family }) => family), ...counters.keys()]);
  return [...families]
    .sort((a, b) => a - b)
    .map((family) => {
      const row = counters.get(family);
      const uncovered = device.families.find((entry) => entry.family === family)?.uncoveredSms.length;
      return {
        family: family as ProbeFamily,
        runs: BigInt(row?.runs ?? 0),
        executions: BigInt(row?.executions ?? 0),
        failures: BigInt(row?.failures ?? 0),
        notRun: BigInt(row?.notRun ?? 0),
        lastRunUs: BigInt(row?.lastRunUs ?? 0),
        smsCovered: uncovered === undefined ? 0 : device.sms.length - uncovered,
      };
    });
}

function directiveProgress(directive: DirectiveState): DirectiveProgress {
  const { id, kind, family, sm, done, failures, executions, units, status } = directive;
  return {
    id,
    kind,
    family: family as ProbeFamily,
    sm,
    done: BigInt(done),
    wanted: BigInt(kind === 'deep-test' ? units.reduce((sum, unit) => sum + unit.executions, 0) : executions),
    failures: BigInt(failures),
    finished: status !== 'open',
  };
}

export function fleetSummary(committer: Committer, outboxPending: number): FleetSummary {
  const { state } = committer;
  const counts = { HEALTHY: 0, SUSPECT: 0, QUARANTINED: 0, DEEP_TEST: 0, CONDEMNED: 0 };
  let injectedGpus = 0;
  let executions = 0;
  let failures = 0;
  const present = [...state.devices.values()].filter(({ replaced }) => replaced === null);
  for (const device of present) {
    counts[device.state] += 1;
    if (isInjected(device)) injectedGpus += 1;
    for (const row of committer.countersOf(device.id).values()) {
      executions += row.executions;
      failures += row.failures;
    }
  }
  const nodes = [...state.nodes.values()];
  return {
    gpus: present.length,
    healthy: counts.HEALTHY,
    suspect: counts.SUSPECT,
    quarantined: counts.QUARANTINED,
    deepTest: counts.DEEP_TEST,
    condemned: counts.CONDEMNED,
    nodes: nodes.length,
    connectedAgents: nodes.filter((node) => node.connected).length,
    executions: BigInt(executions),
    failures: BigInt(failures),
    mode: state.config.mode,
    outboxPending: BigInt(outboxPending),
    injectedGpus,
  };
}

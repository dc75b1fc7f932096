import { hash } from 'node:crypto';
import { configOf } from '../evidence/draft.js';
import type { Work } from '../evidence/effects.js';
import { JOB } from '../evidence/families.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { DirectiveKind, DirectiveState, DirectiveStatus, TestUnit } from '../evidence/model/orders.js';
import type { CoreConfig } from '../evidence/model/settings.js';
import { hasWarmBin } from '../evidence/posterior/bins.js';
import { cleanExecutionsNeeded } from '../evidence/posterior/reinstatement.js';
import { emit, type Step } from '../evidence/step.js';
import { cleanInDeepTest, forgetDeepTest } from './deep-test-count.js';
import { evidenceDetail, isInjected, unitsDetail } from './detail.js';
import { tellOrchestrators } from './fleet-directives.js';

const DAY_US = 86_400_000_000;
/** A device whose many SMs fail at once is confirmed by the first of them. */
export const MAX_OPEN_BURSTS = 8;
/** So many units of one device are watched at a time. */
const MAX_OPEN_FOLLOW_UPS = 8;
/** Finished directives that stay visible. */
export const MAX_FINISHED = 8;

/** The unit's confirmation burst, unless the unit is being re-examined already. `most` = of the device's that are open, with it. */
export function openBurst(
  step: Step,
  device: DeviceState,
  unit: { family: number; sm: number },
  most = MAX_OPEN_BURSTS,
): void {
  const open = device.directives.filter((directive) => directive.status === 'open');
  if (
    open.some(
      (directive) => directive.kind !== 'deep-test' && directive.family === unit.family && directive.sm === unit.sm,
    )
  )
    return;
  if (open.filter((directive) => directive.kind === 'burst').length >= most) return;
  const { gates } = configOf(step.draft);
  openDirective(step, device, 'burst', {
    family: unit.family,
    sm: unit.sm,
    executions: gates.burst_executions,
    windowMs: gates.burst_seconds * 1000,
  });
}

/** One execution per interval for days, after the burst. */
export function openFollowUp(step: Step, device: DeviceState, unit: { family: number; sm: number }): void {
  const { gates } = configOf(step.draft);
  const open = device.directives.filter((entry) => entry.kind === 'follow-up' && entry.status === 'open');
  if (gates.followup_days === 0 || open.length >= MAX_OPEN_FOLLOW_UPS) return;
  openDirective(step, device, 'follow-up', {
    family: unit.family,
    sm: unit.sm,
    intervalMs: gates.followup_interval_ms,
    untilUs: step.ctx.nowUs + gates.followup_days * DAY_US,
  });
}

export interface DeepTestOrder {
  actor: string;
  reason: string;
  /** What the operator says that speaks for it; absent = nothing. */
  evidence?: readonly string[];
  /** Id of the operator's order that it carries out; absent = the engine's own. */
  order?: string;
}

/** So many executions of each unit that failed as clear it, with seeds of their own, then a sweep of everything. */
export function openDeepTest(step: Step, device: DeviceState, order: DeepTestOrder): void {
  const config = configOf(step.draft);
  forgetDeepTest(device);
  const units = deepTestUnits(step, device, config.reinstatementPassCount);
  openDirective(step, device, 'deep-test', {
    executions: config.reinstatementPassCount,
    units,
    sweepSeconds: config.gates.deep_test_seconds,
  });
  emit(
    step,
    'DECISION',
    { gpu: device.id, eventUs: step.ctx.nowUs, injected: isInjected(device) },
    {
      event: 'deep_test_scheduled',
      actor: order.actor,
      ...(order.order === undefined ? {} : { order: order.order }),
      reason: order.reason,
      ...evidenceDetail(order.evidence ?? []),
      node: device.node,
      build_id: device.buildId,
      executions: units.reduce((sum, unit) => sum + unit.executions, 0),
      sweep_seconds: config.gates.deep_test_seconds,
      units: unitsDetail(device),
    },
  );
  tellOrchestrators(step, {
    action: 'DEEP_TEST',
    gpu: device.id,
    node: device.node,
    reason: order.reason,
    actor: order.actor,
    from: device.state,
    to: device.state,
    timeUs: step.ctx.nowUs,
    injected: isInjected(device),
  });
}

/** What each unit that failed needs at least, by its odds as they stand now. */
export function deepTestUnits(step: Step, device: DeviceState, atLeast: number): TestUnit[] {
  const { units } = step.model.assess(device, null, step.ctx.nowUs, step.draft);
  // No probe runs a job: the sweep of everything is what there is.
  const ofProbes = units.filter(({ family }) => family !== JOB);
  return ofProbes.map((unit) => ({
    family: unit.family,
    sm: unit.sm,
    executions: cleanExecutionsNeeded(unit, atLeast),
  }));
}

function openDirective(step: Step, device: DeviceState, kind: DirectiveKind, order: Partial<DirectiveState>): void {
  const directive: DirectiveState = {
    id: directiveId(step, device, kind),
    kind,
    status: 'open',
    family: 0,
    sm: 0,
    executions: 0,
    done: 0,
    failures: 0,
    windowMs: 0,
    intervalMs: 0,
    untilUs: 0,
    units: [],
    sweepSeconds: 0,
    createdUs: step.ctx.nowUs,
    startedUs: null,
    agentDoneUs: null,
    unitsCleanUs: null,
    sweepClean: 0,
    reason: '',
    ...order,
  };
  device.directives = [directive, ...device.directives];
  sendDirective(step, device, directive);
}

/** The same for every replay: what the directive is made from, and how many this record made before it. */
function directiveId(step: Step, device: DeviceState, kind: DirectiveKind): string {
  const ordinal = step.effects.directives.length;
  const made = JSON.stringify(['directive', kind, device.id, step.ctx.commitSeq, step.source, ordinal]);
  return `${kind}-${hash('sha256', made).slice(0, 24)}`;
}

/** Tells the agent what remains of a directive, if anything. */
export function sendDirective(step: Step, device: DeviceState, directive: DirectiveState): void {
  const work = remainingWork(device, directive, configOf(step.draft));
  if (work === undefined) return;
  step.effects.directives.push({ op: 'send', node: device.node, deviceId: device.id, id: directive.id, work });
}

export function cancelDirective(step: Step, device: DeviceState, directive: DirectiveState, reason: string): void {
  finishDirective(device, directive, 'cancelled', reason);
  step.effects.directives.push({ op: 'cancel', node: device.node, deviceId: device.id, id: directive.id });
}

export function cancelAll(step: Step, device: DeviceState, reason: string): void {
  for (const directive of device.directives)
    if (directive.status === 'open') cancelDirective(step, device, directive, reason);
}

/** Ends a directive and forgets the oldest finished ones. */
export function finishDirective(
  device: DeviceState,
  directive: DirectiveState,
  status: DirectiveStatus,
  reason: string,
): void {
  directive.status = status;
  directive.reason = reason;
  let kept = 0;
  device.directives = device.directives.filter((entry) => {
    if (entry.status === 'open') return true;
    kept += 1;
    return kept <= MAX_FINISHED;
  });
}

export function openDeepTestOf(device: DeviceState): DirectiveState | undefined {
  return device.directives.find((directive) => directive.kind === 'deep-test' && directive.status === 'open');
}

/** What remains of a directive; undefined = nothing that this agent should do. Test builds are given no deep test: it would prove nothing. */
function remainingWork(device: DeviceState, directive: DirectiveState, config: CoreConfig): Work | undefined {
  if (directive.status !== 'open') return undefined;
  const { family, sm } = directive;
  switch (directive.kind) {
    case 'burst': {
      const executions = directive.executions - directive.done;
      if (executions <= 0) return undefined;
      const windowMs = Math.max(1, Math.ceil((directive.windowMs * executions) / directive.executions));
      return { kind: 'burst', family, sm, executions, windowMs };
    }
    case 'follow-up':
      return { kind: 'follow-up', family, sm, intervalMs: directive.intervalMs, untilUs: directive.untilUs };
    case 'deep-test':
      return device.testBuild ? undefined : { kind: 'deep-test', ...deepTestWork(device, directive, config) };
  }
}

/** Every unfinished directive of a device with what remains of it: repeated after each hello. */
export function remainingDirectives(device: DeviceState, config: CoreConfig): { id: string; work: Work }[] {
  return device.directives.flatMap((directive) => {
    const work = remainingWork(device, directive, config);
    return work === undefined ? [] : [{ id: directive.id, work }];
  });
}

/** Failing units first, then the sweep; warm, where units failed when the device was warm. */
function deepTestWork(device: DeviceState, directive: DirectiveState, config: CoreConfig) {
  const units = remainingUnits(device, directive, config);
  const preferHot = device.units.some(({ posterior }) => posterior !== null && hasWarmBin(posterior.bins));
  return { units, sweepSeconds: directive.sweepSeconds, preferHot };
}

function remainingUnits(device: DeviceState, directive: DirectiveState, config: CoreConfig): TestUnit[] {
  const units = directive.units.map((wanted) => {
    const unit = device.units.find((entry) => entry.family === wanted.family && entry.sm === wanted.sm);
    const clean = unit === undefined ? 0 : cleanInDeepTest(unit, config);
    return { ...wanted, executions: Math.ceil(wanted.executions - clean) };
  });
  return units.filter((unit) => unit.executions > 0);
}

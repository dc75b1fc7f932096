import { deviceOf, editDevice } from '../evidence/draft.js';
import type { DeviceState, DirectiveState, Family, UnitState } from '../evidence/model.js';
import type { Bin } from '../evidence/posterior/bins.js';
import { passed } from '../evidence/posterior/unit.js';
import type { Step } from '../evidence/step.js';
import { noteCleanExecutions } from '../patterns/signals.js';
import { beginDeepTest } from './deep-test.js';
import { countInDeepTest } from './deep-test-count.js';

/** Executions of one unit that ran to a PASS, trustworthily: golden intact and agreed, no loud fault. */
export interface Clean {
  family: Family;
  sm: number;
  executions: number;
  /** Event times of the first and the last of them. */
  fromUs: number;
  untilUs: number;
  /** The directive that asked for them; undefined = none did. */
  directiveId: string | undefined;
  bin: Bin;
}

/**
 * Counts clean executions of one unit: for its posterior, for the way out of SUSPECT and quarantine, and for the directive
 * that asked for them. One call with n executions does what n calls with one do. Of a unit that never failed nothing is kept.
 * What a device ran in all is counted elsewhere (exposure.ts), and whoever calls reviews the device afterwards.
 */
export function addClean(step: Step, deviceId: string, clean: Clean): void {
  const before = deviceOf(step.draft, deviceId);
  if (before === undefined || clean.executions <= 0) return;
  if (openDirective(before, clean) === undefined && unitOf(before, clean) === undefined) return;
  const device = editDevice(step.draft, deviceId);
  const directive = openDirective(device, clean);
  if (directive !== undefined) beginDirective(step, device, directive, clean.fromUs);
  const unit = unitOf(device, clean);
  if (unit !== undefined) {
    countClean(device, unit, clean.executions, clean.bin);
    unit.consecutive = 0;
  }
  if (directive !== undefined) progress(device, directive, unit, clean);
}

/** The first execution for a directive has arrived. */
export function beginDirective(step: Step, device: DeviceState, directive: DirectiveState, timeUs: number): void {
  directive.startedUs ??= timeUs;
  if (directive.kind === 'deep-test') beginDeepTest(step, device, directive, timeUs);
}

/** What clean executions change about a unit of a draft's device, whoever asked for them. */
export function countClean(device: DeviceState, unit: UnitState, executions: number, bin: Bin): void {
  if (device.state === 'SUSPECT') unit.clean += executions;
  if (unit.posterior !== null) unit.posterior = passed(unit.posterior, executions, bin);
  noteCleanExecutions(device, executions, bin);
}

function progress(
  device: DeviceState,
  directive: DirectiveState,
  unit: UnitState | undefined,
  { executions, bin }: Clean,
): void {
  directive.done += executions;
  if (directive.kind !== 'deep-test' || device.testBuild) return;
  if (directive.unitsCleanUs !== null) directive.sweepClean += executions;
  else if (unit !== undefined) countInDeepTest(unit, executions, bin);
}

function openDirective(device: DeviceState, { directiveId }: Clean): DirectiveState | undefined {
  if (directiveId === undefined) return undefined;
  return device.directives.find((directive) => directive.id === directiveId && directive.status === 'open');
}

function unitOf(device: DeviceState, { family, sm }: Clean): UnitState | undefined {
  return device.units.find((unit) => unit.family === family && unit.sm === sm);
}

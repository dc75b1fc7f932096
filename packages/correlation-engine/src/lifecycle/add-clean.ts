import { deviceOf, editDevice } from '../evidence/draft.js';
import { JOB } from '../evidence/families.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { DirectiveState } from '../evidence/model/orders.js';
import type { Family } from '../evidence/model/terms.js';
import type { UnitName, UnitState } from '../evidence/model/unit.js';
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
  if (directive !== undefined) progress(device, directive, clean);
  device.units = device.units.map((unit) => {
    // No probe runs a job: what a burst asked for because of one is as near as it comes.
    if (unit.family === JOB && directive !== undefined && device.state === 'SUSPECT')
      return { ...unit, clean: unit.clean + clean.executions };
    if (unit.family !== clean.family || unit.sm !== clean.sm) return unit;
    noteCleanExecutions(device, clean.executions, clean.bin);
    const counted = { ...countClean(device, unit, clean.executions, clean.bin), consecutive: 0 };
    return speaksInDeepTest(device, directive) ? countInDeepTest(counted, clean.executions, clean.bin) : counted;
  });
}

/** The same for many units at once, of executions that no directive asked for: one pass, however many units failed. */
export function addScheduledCleans(step: Step, deviceId: string, cleans: readonly Clean[]): void {
  const byUnit = Map.groupBy(cleans, keyOf);
  const before = deviceOf(step.draft, deviceId);
  if (before?.units.some((unit) => byUnit.has(keyOf(unit))) !== true) return;
  const device = editDevice(step.draft, deviceId);
  const ran = new Map<Bin, number>();
  device.units = device.units.map((unit) => {
    const own = byUnit.get(keyOf(unit)) ?? [];
    return own.reduce((now, { executions, bin }) => {
      ran.set(bin, (ran.get(bin) ?? 0) + executions);
      return { ...countClean(device, now, executions, bin), consecutive: 0 };
    }, unit);
  });
  for (const [bin, executions] of ran) noteCleanExecutions(device, executions, bin);
}

/** A number for each unit: SMs of a device are far fewer. */
function keyOf({ family, sm }: UnitName): number {
  return family * 2 ** 24 + sm;
}

/** The first execution for a directive has arrived. */
export function beginDirective(step: Step, device: DeviceState, directive: DirectiveState, timeUs: number): void {
  directive.startedUs ??= timeUs;
  if (directive.kind === 'deep-test') beginDeepTest(step, device, directive, timeUs);
}

/** A unit after clean executions, whoever asked for them; whoever calls counts them in the signals of its device. */
export function countClean(device: DeviceState, unit: UnitState, executions: number, bin: Bin): UnitState {
  const clean = device.state === 'SUSPECT' ? unit.clean + executions : unit.clean;
  return { ...unit, clean, posterior: unit.posterior === null ? null : passed(unit.posterior, executions, bin) };
}

function progress(device: DeviceState, directive: DirectiveState, { executions }: Clean): void {
  directive.done += executions;
  const sweeps = directive.kind === 'deep-test' && !device.testBuild && directive.unitsCleanUs !== null;
  if (sweeps) directive.sweepClean += executions;
}

function speaksInDeepTest({ testBuild }: DeviceState, directive: DirectiveState | undefined): boolean {
  return directive?.kind === 'deep-test' && !testBuild && directive.unitsCleanUs === null;
}

function openDirective(device: DeviceState, { directiveId }: Clean): DirectiveState | undefined {
  if (directiveId === undefined) return undefined;
  return device.directives.find((directive) => directive.id === directiveId && directive.status === 'open');
}

function unitOf(device: DeviceState, { family, sm }: Clean): UnitState | undefined {
  return device.units.find((unit) => unit.family === family && unit.sm === sm);
}

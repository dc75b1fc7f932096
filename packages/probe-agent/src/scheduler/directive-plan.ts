import type { ProbeFamily } from '@sentinel/contracts/sentinel/v1/common.js';
import type { Directive } from '@sentinel/contracts/sentinel/v1/control.js';
import { type FamilyName, familyOfWire } from '../families.js';
import type { DirectivePlan, Unit } from './directives.js';

/** What this node can be asked to test. */
export interface Testable {
  readonly id: string;
  readonly sms: readonly number[];
  readonly families: readonly FamilyName[];
}

/** Executions that one directive may ask for. */
export const MAX_EXECUTIONS = 10_000_000;

/** The engine asked for something that this node does not have; the message is the reason that it gets. */
export class RefusedDirective extends Error {}

/**
 * Translates a directive.
 * @param engineNowUs the engine's clock now, microseconds since the Unix epoch
 * @throws RefusedDirective
 */
export function planDirective(directive: Directive, devices: readonly Testable[], engineNowUs: bigint): DirectivePlan {
  const device = devices.find(({ id }) => id === directive.deviceId);
  if (device === undefined) throw new RefusedDirective(`this node has no device ${directive.deviceId}`);
  const base = { id: directive.id, deviceId: device.id };
  const work = directive.work;
  switch (work?.$case) {
    case 'burst': {
      const { executions, windowMs } = work.value;
      const intervalMs = executions > 0 ? windowMs / executions : 0;
      return {
        ...base,
        kind: 'burst',
        steps: [{ ...unitOf(device, work.value), ...bounded(executions), intervalMs }],
        sweep: null,
      };
    }
    case 'followUp': {
      const durationMs = Math.max(0, Number((work.value.untilUs - engineNowUs) / 1000n));
      const sweep = { units: [unitOf(device, work.value)], durationMs, intervalMs: work.value.intervalMs };
      return { ...base, kind: 'follow_up', steps: [], sweep };
    }
    case 'deepTest': {
      const steps = work.value.units.map((unit) => ({
        ...unitOf(device, unit),
        ...bounded(unit.executions),
        intervalMs: 0,
      }));
      const sweep = { units: everyUnit(device), durationMs: work.value.sweepSeconds * 1000, intervalMs: 0 };
      const warming = work.value.preferHot ? { warmingSms: device.sms } : {};
      return { ...base, kind: 'deep_test', steps, sweep, ...warming };
    }
    case 'canary': {
      const { epoch, index } = work.value;
      const { sms } = device;
      const family = familyOf(device, work.value.family);
      return { ...base, kind: 'canary', steps: [], sweep: null, canary: { family, sms, epoch, index } };
    }
    case undefined:
      throw new RefusedDirective('this agent does not know this kind of directive: update the agent');
  }
}

function unitOf(device: Testable, wanted: { readonly family: ProbeFamily; readonly sm: number }): Unit {
  const family = familyOf(device, wanted.family);
  if (!device.sms.includes(wanted.sm)) {
    throw new RefusedDirective(`${device.id} has no SM ${wanted.sm}; it has ${device.sms.join(', ')}`);
  }
  return { family, sm: wanted.sm };
}

function familyOf(device: Testable, wanted: ProbeFamily): FamilyName {
  const family = familyOfWire(wanted);
  if (family !== undefined && device.families.includes(family)) return family;
  throw new RefusedDirective(
    `${device.id} cannot run family ${family ?? wanted}; it has ${device.families.join(', ')}`,
  );
}

function bounded(executions: number): { executions: number } {
  if (executions > MAX_EXECUTIONS)
    throw new RefusedDirective(`${executions} executions are more than ${MAX_EXECUTIONS}`);
  return { executions };
}

function everyUnit(device: Testable): Unit[] {
  return device.families.flatMap((family) => device.sms.map((sm) => ({ family, sm })));
}

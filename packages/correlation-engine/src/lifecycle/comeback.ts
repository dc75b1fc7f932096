import { copyDevice, type Draft, deviceOf, editDevice, nodeOf, putDevice } from '../evidence/draft.js';
import { devicesOfSerial, hasOwnId, isArchived, isPart } from '../evidence/hardware.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { HealthState } from '../evidence/model/terms.js';
import type { UnitName } from '../evidence/model/unit.js';
import type { HelloDevice, HelloRecord } from '../evidence/record.js';
import { emit, type Step } from '../evidence/step.js';
import { isInjected } from './detail.js';
import { endWork, leaveDeepTest } from './end-work.js';
import { actionOf, tellOrchestrators } from './fleet-directives.js';

/**
 * Before a device of a hello is described: hardware that is known by its serial number is trusted no more than when it was taken out,
 * wherever it comes back. Under an id that names a place it goes on with all that was known; a board that shows itself under
 * another id of its own, as divided ones do, is out of service if it was.
 */
export function takeBack(step: Step, record: HelloRecord, described: HelloDevice): void {
  const now = deviceOf(step.draft, described.id);
  if (now === undefined || !isNews(now, described)) return;
  const known = knownAs(step.draft, record, described);
  if (known === undefined) return;
  if (isSamePlaceKind(now, known) && !speaksForItself(now)) goOn(step, record, known, described.id);
  else if (weighs(known) > weighs(now)) takeOutAgain(step, known, described.id);
}

/** Only what was taken out of service counts against hardware that shows itself in another way. */
function weighs({ state }: DeviceState): number {
  if (state === 'CONDEMNED') return 2;
  return state === 'QUARANTINED' || state === 'DEEP_TEST' ? 1 : 0;
}

/** Its serial number is new here, or it was elsewhere meanwhile. */
function isNews(now: DeviceState, { serial }: HelloDevice): boolean {
  return serial !== '' && (now.serial !== serial || now.replaced !== null);
}

/**
 * The newest that is known of the hardware with this serial number. Nothing, if that is not the hardware's own: several devices show
 * it, or one does that is still there.
 */
function knownAs(draft: Draft, record: HelloRecord, described: HelloDevice): DeviceState | undefined {
  const named = new Set(record.devices.map(({ id }) => id));
  const others = devicesOfSerial(draft, described).filter((device) => !named.has(device.id) && !isPart(device));
  const present = others.filter(({ replaced }) => replaced === null);
  if (present.length > 1 || present.some((device) => isElsewhere(draft, record, device))) return undefined;
  return present[0] ?? others.toSorted((a, b) => leftUs(b) - leftUs(a))[0];
}

function isElsewhere(draft: Draft, record: HelloRecord, { node, announced }: DeviceState): boolean {
  return announced && node !== record.node && nodeOf(draft, node)?.connected === true;
}

function leftUs({ replaced }: DeviceState): number {
  return replaced?.us ?? 0;
}

/** What was known under an id of its own counts under that id alone. */
function isSamePlaceKind(now: DeviceState, known: DeviceState): boolean {
  return hasOwnId(now) ? isArchived(known) && known.replaced?.by === now.id : !hasOwnId(known);
}

/** Evidence was collected while its serial number was not known: it is not thrown away. */
function speaksForItself({ state, units, replaced }: DeviceState): boolean {
  return replaced === null && (state !== 'HEALTHY' || units.length > 0);
}

/** It goes on where it was when it left; what it did before stands under the id that it had. */
function goOn(step: Step, record: HelloRecord, known: DeviceState, id: string): void {
  const { nowUs } = step.ctx;
  const before = deviceOf(step.draft, id);
  if (known.replaced === null) leave(step, known.id, id);
  const left = deviceOf(step.draft, known.id) ?? known;
  const device: DeviceState = {
    ...copyDevice(left),
    id,
    node: record.node,
    announced: false,
    replaced: null,
    returned: { from: known.id, us: nowUs },
    directives: [],
  };
  putDevice(step.draft, device);
  noteReturn(step, device, record.node, before?.state ?? 'HEALTHY');
}

/** It is in another place now. */
function leave(step: Step, id: string, by: string): void {
  const device = editDevice(step.draft, id);
  endWork(step, device, `it is ${by} now`);
  leaveDeepTest(step, device, `it is ${by} now`);
  device.announced = false;
  device.replaced = { by, us: step.ctx.nowUs };
}

/** What was known takes it out of service here as well, beside what speaks against it already. */
function takeOutAgain(step: Step, known: DeviceState, id: string): void {
  const device = editDevice(step.draft, id);
  const before = device.state;
  endWork(step, device, `the hardware is ${known.state} as ${known.id}`);
  device.state = known.state === 'CONDEMNED' ? 'CONDEMNED' : 'QUARANTINED';
  device.wouldBe = null;
  device.stateSinceUs = known.stateSinceUs;
  device.stateReason = known.stateReason;
  device.stateActor = known.stateActor;
  device.out = known.out;
  if (isSamePlaceKind(device, known)) device.units = [...device.units, ...known.units.filter(isNotIn(device.units))];
  if (isInjected(known)) device.injectedEvidence = true;
  device.returned = { from: known.id, us: step.ctx.nowUs };
  noteReturn(step, device, device.node, before);
}

function isNotIn(units: readonly UnitName[]): (unit: UnitName) => boolean {
  return ({ family, sm }) => !units.some((unit) => unit.family === family && unit.sm === sm);
}

/** Hardware that is out of service and has an id of its own is here again: in another node or slot, or condemned and back. */
export function noteOwnReturn(step: Step, { node }: HelloRecord, known: DeviceState): void {
  if (known.state === 'HEALTHY' || known.state === 'SUSPECT') return;
  const moved = known.replaced !== null || known.node !== node;
  if (!moved && (known.announced || known.state !== 'CONDEMNED')) return;
  const device = editDevice(step.draft, known.id);
  device.returned = { from: known.id, us: step.ctx.nowUs };
  noteReturn(step, device, node, moved ? 'HEALTHY' : known.state);
}

/** For the ledger, for the device's history, and for whoever places jobs. @param before as it was taken to be at that place */
function noteReturn(step: Step, device: DeviceState, node: string, before: HealthState): void {
  const { id: gpu, state, stateReason, stateActor: actor, serial, slot, returned } = device;
  const [timeUs, injected] = [step.ctx.nowUs, isInjected(device)];
  const event = state === 'CONDEMNED' ? 'condemned_device_returned' : 'device_returned';
  const detail = { node, state, serial, slot, reason: stateReason, known_as: returned?.from ?? gpu };
  const eventId = emit(step, 'ANOMALY', { gpu, eventUs: timeUs, injected }, { event, ...detail });
  if (state === before) return;
  const as = detail.known_as === gpu ? '' : `, and is known as ${detail.known_as}`;
  const reason = `It came back${as}: ${stateReason}`;
  const { commitSeq } = step.ctx;
  const made = { deviceId: gpu, timeUs, from: before, to: state, reason, injected, eventId, commitSeq, actor };
  step.effects.transitions.push({ ...made, evidence: [] });
  const action = actionOf(before, state);
  if (action === null) return;
  tellOrchestrators(step, { action, gpu, node, reason, actor, from: before, to: state, timeUs, injected });
}

import { movedCanaries } from '../canary/moved.js';
import { canariesOf, type Draft, deviceOf, editCanaries, editDevice, nodeOf, putDevice } from '../evidence/draft.js';
import { moveExposure } from '../evidence/exposure.js';
import { hasOwnId } from '../evidence/hardware.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { NodeState } from '../evidence/model/node.js';
import type { HelloDevice, HelloRecord } from '../evidence/record.js';
import { newDevice } from '../evidence/register.js';
import { emit, type Step } from '../evidence/step.js';
import { boundArchive } from './archive.js';
import { noteOwnReturn, takeBack } from './comeback.js';
import { isInjected } from './detail.js';
import { endWork, leaveDeepTest } from './end-work.js';
import { tellOrchestrators } from './fleet-directives.js';

/**
 * Before a device of a hello is described: is it the hardware that is known? Other hardware in its slot, or another serial
 * under its id, starts with nothing against it unless it is known itself, and what was known stays with what was taken out. A
 * condemned device stays condemned wherever it comes back.
 */
export function noteReplacement(step: Step, record: HelloRecord, described: HelloDevice): void {
  const known = deviceOf(step.draft, described.id);
  if (known === undefined) return;
  const owns = hasOwnId(known);
  if (!(owns && known.state === 'CONDEMNED') && isOther(known.serial, described.serial))
    startFresh(step, known, described);
  else if (owns) noteOwnReturn(step, record, known);
  takeBack(step, record, described);
  for (const other of othersInSlot(step.draft, record, described)) retire(step, other, described);
}

function isOther(before: string, now: string): boolean {
  return before !== '' && now !== '' && before !== now;
}

/** Instances of a divided board share its slot: what this hello names as well was not replaced. */
function othersInSlot(draft: Draft, { node, devices }: HelloRecord, { slot = '' }: HelloDevice): DeviceState[] {
  if (slot === '') return [];
  const named = new Set(devices.map(({ id }) => id));
  const ids = nodeOf(draft, node)?.deviceIds.filter((id) => !named.has(id)) ?? [];
  return ids
    .flatMap((other) => deviceOf(draft, other) ?? [])
    .filter((device) => device.slot === slot && device.replaced === null);
}

/** Another UUID sits where this one was: it keeps state and history, and nothing more is asked of it. */
function retire(step: Step, known: DeviceState, by: HelloDevice): void {
  const device = editDevice(step.draft, known.id);
  device.announced = false;
  const why = `${by.id} is in its slot`;
  endWork(step, device, why);
  leaveDeepTest(step, device, why);
  device.replaced = { by: by.id, us: step.ctx.nowUs };
  announce(step, device, { now: by.id, serial: by.serial, slot: device.slot });
}

/** Other hardware has the id: what was known moves to an id of its own. */
function startFresh(step: Step, known: DeviceState, described: HelloDevice): void {
  const { draft, ctx } = step;
  const before = editDevice(draft, known.id);
  const why = 'its serial number has changed: other hardware is in its place';
  endWork(step, before, why);
  const to = `${known.id}@${known.serial}`;
  const old: DeviceState = { ...before, id: to, announced: false, replaced: { by: known.id, us: ctx.nowUs } };
  putDevice(draft, old);
  leaveDeepTest(step, old, why);
  putDevice(draft, newDevice(known.id, nodeOf(draft, known.node) as NodeState, ctx.nowUs));
  moveExposure(draft.exposure, known.id, to);
  // What was stored under the id belongs to the hardware of that time, however often it changes in one transaction.
  if (!draft.moved.has(known.id)) draft.moved.set(known.id, to);
  step.effects.moved.push({ from: known.id, to });
  editCanaries(draft, movedCanaries(canariesOf(draft), known.id, to));
  announce(step, old, { now: known.id, serial: described.serial, slot: described.slot ?? '' });
  if (before.out !== null) freePlace(step, before);
  boundArchive(step);
}

/** Whoever places jobs knows the place by its id, which was out of service. */
function freePlace(step: Step, { id: gpu, node, state: from }: DeviceState): void {
  const reason = 'Other hardware is in its place.';
  const about = { gpu, node, reason, actor: '', from, timeUs: step.ctx.nowUs, injected: false };
  tellOrchestrators(step, { action: 'REINSTATE', to: 'HEALTHY', ...about });
}

function announce(step: Step, old: DeviceState, now: { now: string; serial: string; slot: string }): void {
  const subject = { gpu: old.id, eventUs: step.ctx.nowUs, injected: isInjected(old) };
  emit(step, 'SYSTEM', subject, {
    event: 'device_replaced',
    node: old.node,
    state: old.state,
    serial: old.serial,
    slot: now.slot,
    replaced_by: now.now,
    new_serial: now.serial,
  });
}

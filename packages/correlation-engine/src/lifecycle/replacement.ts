import { movedCanaries } from '../canary/moved.js';
import { canariesOf, type Draft, deviceOf, editCanaries, editDevice, nodeOf, putDevice } from '../evidence/draft.js';
import { moveExposure } from '../evidence/exposure.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { NodeState } from '../evidence/model/node.js';
import type { HelloDevice, HelloRecord } from '../evidence/record.js';
import { newDevice } from '../evidence/register.js';
import { emit, type Step } from '../evidence/step.js';
import { isInjected } from './detail.js';
import { cancelAll } from './directives.js';
import { withdrawAll } from './proposals.js';

/** Ids that are the hardware's own; others name a place, where hardware comes and goes. */
const HARDWARE_ID = /^(GPU|MIG)-/;

/**
 * Before a device of a hello is described: is it the hardware that is known? Other hardware in its slot, or another serial
 * under its id, starts with nothing against it, and what was known stays with what was taken out. A condemned device stays
 * condemned wherever it comes back.
 */
export function noteReplacement(step: Step, record: HelloRecord, described: HelloDevice): void {
  const known = deviceOf(step.draft, described.id);
  if (known === undefined) return;
  if (known.state === 'CONDEMNED' && HARDWARE_ID.test(known.id)) noteReturn(step, record, known, described);
  else if (isOther(known.serial, described.serial)) startFresh(step, known, described);
  for (const other of othersInSlot(step.draft, record.node, described)) retire(step, other, described);
}

function isOther(before: string, now: string): boolean {
  return before !== '' && now !== '' && before !== now;
}

function othersInSlot(draft: Draft, node: string, { id, slot = '' }: HelloDevice): DeviceState[] {
  if (slot === '') return [];
  const ids = nodeOf(draft, node)?.deviceIds.filter((other) => other !== id) ?? [];
  return ids
    .flatMap((other) => deviceOf(draft, other) ?? [])
    .filter((device) => device.slot === slot && device.replaced === null);
}

/** Another UUID sits where this one was: it keeps state and history, and nothing more is asked of it. */
function retire(step: Step, known: DeviceState, by: HelloDevice): void {
  const device = editDevice(step.draft, known.id);
  device.announced = false;
  device.replaced = { by: by.id, us: step.ctx.nowUs };
  endWork(step, device, `${by.id} is in its slot`);
  announce(step, device, { now: by.id, serial: by.serial, slot: device.slot });
}

/** Other hardware has the id: what was known moves to an id of its own. */
function startFresh(step: Step, known: DeviceState, described: HelloDevice): void {
  const { draft, ctx } = step;
  const before = editDevice(draft, known.id);
  endWork(step, before, 'its serial number has changed: other hardware is in its place');
  const to = archivedId(draft, known, ctx.commitSeq);
  const old: DeviceState = {
    ...before,
    id: to,
    announced: false,
    dueUs: null,
    replaced: { by: known.id, us: ctx.nowUs },
  };
  putDevice(draft, old);
  putDevice(draft, newDevice(known.id, nodeOf(draft, known.node) as NodeState, ctx.nowUs));
  moveExposure(draft.exposure, known.id, to);
  // What was stored under the id belongs to the hardware of that time, however often it changes in one transaction.
  if (!draft.moved.has(known.id)) draft.moved.set(known.id, to);
  step.effects.moved.push({ from: known.id, to });
  editCanaries(draft, movedCanaries(canariesOf(draft), known.id, to));
  announce(step, old, { now: known.id, serial: described.serial, slot: described.slot ?? '' });
}

function archivedId(draft: Draft, { id, serial }: DeviceState, commitSeq: number): string {
  const plain = `${id}@${serial}`;
  return deviceOf(draft, plain) === undefined ? plain : `${plain}~${commitSeq}`;
}

function endWork(step: Step, device: DeviceState, why: string): void {
  cancelAll(step, device, why);
  withdrawAll(step, device, `The device was replaced: ${why}.`);
  device.dueUs = null;
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

/** Said when it comes back, not at every hello. */
function noteReturn(step: Step, record: HelloRecord, known: DeviceState, { serial, slot = '' }: HelloDevice): void {
  if (known.announced && known.node === record.node) return;
  const subject = { gpu: known.id, eventUs: step.ctx.nowUs, injected: isInjected(known) };
  const detail = { node: record.node, state: known.state, serial, slot, reason: known.stateReason };
  emit(step, 'ANOMALY', subject, { event: 'condemned_device_returned', ...detail });
}

import type { Draft } from './draft.js';
import type { DeviceState } from './model/device.js';

/** Ids that are the hardware's own; others name a place, where hardware comes and goes. */
const HARDWARE_ID = /^(GPU|MIG)-/;
/** Part of a board: the serial number that it shows is that of the whole. */
const PART_ID = /^MIG-/;

export function hasOwnId({ id }: Pick<DeviceState, 'id'>): boolean {
  return HARDWARE_ID.test(id);
}

export function isPart({ id }: Pick<DeviceState, 'id'>): boolean {
  return PART_ID.test(id);
}

/** Its id names a place that other hardware has now: what it did is kept under an id of its own. */
export function isArchived({ id, replaced }: DeviceState): boolean {
  return replaced !== null && id.startsWith(`${replaced.by}@`);
}

/** Devices by vendor and serial number, and the archived ones. Derived from the devices. */
export interface HardwareIndex {
  readonly bySerial: Map<string, Set<string>>;
  readonly archived: Set<string>;
}

export function newHardwareIndex(): HardwareIndex {
  return { bySerial: new Map(), archived: new Set() };
}

/** Adds (`by` = 1) or removes (`by` = -1) a device. */
export function indexHardware(index: HardwareIndex, device: DeviceState, by: 1 | -1): void {
  if (by === 1 && isArchived(device)) index.archived.add(device.id);
  else index.archived.delete(device.id);
  const key = keyOf(device);
  if (key === null) return;
  const ids = index.bySerial.get(key) ?? new Set();
  if (by === 1) ids.add(device.id);
  else ids.delete(device.id);
  if (ids.size > 0) index.bySerial.set(key, ids);
  else index.bySerial.delete(key);
}

/** Every device that showed this serial number last, as the draft sees it, by id. O(devices of it and of the draft). */
export function devicesOfSerial({ base, devices, removed }: Draft, of: Serial): DeviceState[] {
  const key = keyOf(of);
  if (key === null) return [];
  const stored = [...(base.hardware.bySerial.get(key) ?? [])].filter((id) => !devices.has(id) && !removed.has(id));
  const found = stored.flatMap((id) => base.devices.get(id) ?? []);
  for (const device of devices.values()) if (keyOf(device) === key) found.push(device);
  return found.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Archived devices, as the draft sees them, by id. */
export function archivedDevices({ base, devices, removed }: Draft): DeviceState[] {
  const stored = [...base.hardware.archived].filter((id) => !devices.has(id) && !removed.has(id));
  const found = stored.flatMap((id) => base.devices.get(id) ?? []);
  for (const device of devices.values()) if (isArchived(device)) found.push(device);
  return found.sort((a, b) => (a.id < b.id ? -1 : 1));
}

type Serial = Pick<DeviceState, 'vendor' | 'serial'>;

/** null = the serial number is not known. */
function keyOf({ vendor, serial }: Serial): string | null {
  return serial === '' ? null : JSON.stringify([vendor, serial]);
}

import { cohortKey } from './cohorts.js';
import { type Draft, deviceOf, editNode, nodeOf, putDevice } from './draft.js';
import type { DeviceState } from './model/device.js';
import type { NodeState } from './model/node.js';
import type { FamilyState } from './model/unit.js';
import type { HelloDevice, HelloFamily, HelloRecord } from './record.js';

/** A node that names more devices than this names no further ones. */
export const MAX_DEVICES_PER_NODE = 256;

/** The reason of the state that every device begins in. */
export const NOTHING_YET = 'No mismatch so far.';

/** A device that nothing is known about yet. */
export function newDevice(id: string, node: NodeState, nowUs: number): DeviceState {
  return {
    id,
    node: node.node,
    identity: node.identity,
    model: '',
    vendor: '',
    driverVersion: '',
    vbiosVersion: '',
    cudaVersion: '',
    serial: '',
    slot: '',
    replaced: null,
    note: '',
    sms: [],
    families: [],
    announced: false,
    buildId: node.buildId,
    testBuild: node.testBuild,
    state: 'HEALTHY',
    wouldBe: null,
    stateSinceUs: nowUs,
    stateReason: NOTHING_YET,
    stateActor: '',
    out: null,
    proposals: [],
    declined: [],
    injectedEvidence: false,
    units: [],
    firstObservationUs: null,
    lastObservationUs: null,
    failingBuildIds: [],
    gates: [],
    directives: [],
    dueUs: null,
    loudFaults: null,
    signals: null,
    patterns: [],
    confirmed: [],
    soft: [],
    trends: null,
    told: null,
  };
}

/**
 * A device known only from its reports: an agent whose device list changed while the engine was away still has records of
 * the old one in its spool, and they must not be lost.
 */
export function adoptDevice(draft: Draft, nodeName: string, id: string): DeviceState | undefined {
  const node = nodeOf(draft, nodeName);
  if (node === undefined || node.deviceIds.length >= MAX_DEVICES_PER_NODE) return undefined;
  const device = { ...newDevice(id, node, node.registeredUs), note: 'known only from its reports' };
  putDevice(draft, device);
  editNode(draft, nodeName).deviceIds.push(id);
  return device;
}

/** What a hello says about a device, over what has been seen of it. */
export function describeDevice(device: DeviceState, hello: HelloRecord, described: HelloDevice): void {
  const sms = [...described.sms];
  device.families = described.families.map((family) => familyState(device, described, family, sms));
  device.announced = true;
  device.node = hello.node;
  device.identity = hello.identity;
  device.model = described.model;
  device.vendor = described.vendor;
  device.driverVersion = described.driverVersion;
  device.vbiosVersion = described.vbiosVersion ?? '';
  device.cudaVersion = described.cudaVersion ?? '';
  // A serial number that cannot be read this time is still the one that it had.
  device.serial = described.serial === '' ? device.serial : described.serial;
  device.slot = described.slot ?? '';
  device.replaced = null;
  device.note = described.note;
  device.sms = sms;
  device.buildId = hello.buildId;
  device.testBuild = hello.testBuild;
}

/** Coverage and the first clean run belong to a cohort: another probe version or driver starts them again. */
function familyState(
  device: DeviceState,
  described: HelloDevice,
  family: HelloFamily,
  sms: readonly number[],
): FamilyState {
  const { vbiosVersion = '', cudaVersion = '' } = described;
  const cohort = cohortKey({ ...described, vbiosVersion, cudaVersion }, family.family, family.probeVersion);
  const before = device.families.find((entry) => entry.cohort === cohort);
  const covered = new Set(before === undefined ? [] : device.sms.filter((sm) => !before.uncoveredSms.includes(sm)));
  return {
    family: family.family,
    probeVersion: family.probeVersion,
    cohort,
    selfTestSmsRun: family.selfTestSmsRun,
    selfTestSmsPassed: family.selfTestSmsPassed,
    instructions: [...family.instructions],
    firstCleanUs: before?.firstCleanUs ?? null,
    uncoveredSms: sms.filter((sm) => !covered.has(sm)),
  };
}

/** Owner of a device that another node claims; undefined = nobody who is still there and has it. */
export function conflictingOwner(draft: Draft, hello: HelloRecord, id: string): string | undefined {
  const device = deviceOf(draft, id);
  if (device === undefined || device.node === hello.node || !device.announced) return undefined;
  return nodeOf(draft, device.node)?.connected === true ? device.node : undefined;
}

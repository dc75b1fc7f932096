import { cohortKey } from '../cohorts.js';
import { completeFleet } from '../complete-fleet.js';
import { begin, type Draft } from '../draft.js';
import type { DeviceState } from '../model/device.js';
import type { BreadthEntry, CohortFailures, FleetFacts, Incident } from '../model/fleet.js';
import type { NodeState } from '../model/node.js';
import type { CoreConfig } from '../model/settings.js';
import type { FamilyState, UnitState } from '../model/unit.js';
import { newDevice } from '../register.js';
import { loadState } from '../state.js';
import { FMA32, SMS } from './batches.js';
import { CONFIG } from './config.js';

export const NOW_US = 1_800_000_000_000_000;

export function unitWith(fields: Partial<UnitState> = {}): UnitState {
  return {
    family: FMA32,
    sm: 1,
    counted: 0,
    answers: 0,
    accused: 0,
    unlocated: 0,
    excused: 0,
    firstUs: NOW_US,
    lastUs: NOW_US,
    epoch: 0,
    index: 0,
    digest: 0,
    clean: 0,
    deepTestClean: 0,
    deepTestOther: 0,
    consecutive: 0,
    posterior: null,
    reinstatedUs: null,
    ...fields,
  };
}

export const IDENTITY = { vendor: 'Vendor', model: 'Model A', driverVersion: '1', vbiosVersion: '', cudaVersion: '' };

export function familyWith(fields: Partial<FamilyState> = {}): FamilyState {
  const family = fields.family ?? FMA32;
  return {
    family,
    probeVersion: 1,
    cohort: cohortKey(IDENTITY, family, 1),
    selfTestSmsRun: 4,
    selfTestSmsPassed: 4,
    instructions: [],
    firstCleanUs: NOW_US,
    uncoveredSms: [],
    ...fields,
  };
}

function nodeWith(node: string, fields: Partial<NodeState> = {}): NodeState {
  return {
    node,
    buildId: 'build-1',
    testBuild: false,
    identity: 'shared key',
    connected: true,
    offsetUs: 0,
    lastEventUs: 0,
    registeredUs: NOW_US,
    deviceIds: [],
    ...fields,
  };
}

export function deviceWith(id: string, fields: Partial<DeviceState> = {}): DeviceState {
  const node = nodeWith(fields.node ?? `node-${id}`);
  return {
    ...newDevice(id, node, NOW_US),
    ...IDENTITY,
    announced: true,
    sms: [...SMS],
    families: [familyWith()],
    ...fields,
  };
}

export function breadthEntry(node: string, fields: Partial<BreadthEntry> = {}): BreadthEntry {
  return { node, newUs: NOW_US, againUs: null, lastUs: NOW_US, epoch: 0, index: 0, ...fields };
}

export function failuresWith(nodes: readonly BreadthEntry[], fields: Partial<CohortFailures> = {}): CohortFailures {
  return { nodes, votes: [], chancePerHour: 0, devicesPerNode: 1, releasedUs: 0, ...fields };
}

export function incidentWith(fields: Partial<Incident> = {}): Incident {
  return {
    id: 'incident-1',
    pattern: 'PROBE_OR_SOFTWARE',
    state: 'OPEN',
    cohort: familyWith().cohort,
    node: '',
    openedUs: NOW_US,
    endedUs: null,
    reason: 'r',
    nodeCount: 3,
    nodes: [],
    devices: [],
    modalDigest: null,
    cordoned: false,
    injected: false,
    actor: '',
    actorReason: '',
    ...fields,
  };
}

/** A draft over a fleet of these devices, each on the node that it names. */
export function draftOf(
  devices: readonly DeviceState[],
  facts: Partial<FleetFacts> = {},
  config: CoreConfig = CONFIG,
): Draft {
  const names = [...new Set(devices.map((device) => device.node))];
  const idsOn = (node: string): string[] => devices.filter((device) => device.node === node).map((device) => device.id);
  const nodes = names.map((node) => nodeWith(node, { deviceIds: idsOn(node) }));
  const fleet = { ...completeFleet(null), ...facts };
  return begin(loadState({ config, devices, nodes, fleet, exposure: [] }));
}

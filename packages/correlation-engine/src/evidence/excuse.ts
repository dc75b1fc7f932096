import { cohortOf } from './cohorts.js';
import { attentiveIds, deviceOf, editDevice } from './draft.js';
import { failuresOf } from './failing.js';
import { differsFromModalDigest } from './gates/breadth.js';
import type { DeviceState } from './model/device.js';
import type { Incident } from './model/fleet.js';
import type { SetAside, UnitState } from './model/unit.js';
import type { Step } from './step.js';

const NOTHING: SetAside = { counted: 0, answers: 0, accused: 0, consecutive: 0, posterior: null };

/**
 * What the incident explains does not count against its devices once the incident is over; otherwise its end would quarantine
 * everything that it held. They stay suspects until their units ran cleanly, and new mismatches count again. Returns how many
 * devices had anything excused.
 */
export function excuseAll(step: Step, incident: Incident): number {
  return change(step, incident, (device, unit) => (isExplained(step, incident, device, unit) ? excused(unit) : unit));
}

/** The same for good: the incident is over, and nobody can release it any more. */
export function excuseForGood(step: Step, incident: Incident): number {
  const devices = excuseAll(step, incident);
  change(step, incident, (device, unit) => {
    if (unit.setAside === undefined || !concerns(incident, device, unit)) return unit;
    const { setAside: _, ...kept } = unit;
    return kept;
  });
  return devices;
}

/** The same taken back: an operator had confirmed the incident and calls the devices faulty after all. */
export function accuseAgain(step: Step, incident: Incident): number {
  return change(step, incident, (device, unit) => {
    if (unit.setAside === undefined || !concerns(incident, device, unit)) return unit;
    const { setAside, ...now } = unit;
    return {
      ...now,
      counted: now.counted + setAside.counted,
      answers: now.answers + setAside.answers,
      accused: now.accused + setAside.accused,
      consecutive: Math.max(now.consecutive, setAside.consecutive),
      posterior: now.posterior ?? setAside.posterior,
      excused: now.excused - setAside.counted,
    };
  });
}

type Change = (device: DeviceState, unit: UnitState) => UnitState;

/** Of suspects alone: what is out of service is judged. */
function change(step: Step, incident: Incident, changed: Change): number {
  const ids = incident.pattern === 'NODE_CORRELATED' ? incident.devices : attentiveIds(step.draft);
  let devices = 0;
  for (const id of ids) {
    const known = deviceOf(step.draft, id);
    if (known?.state !== 'SUSPECT') continue;
    const units = known.units.map((unit) => changed(known, unit));
    if (units.every((unit, i) => unit === known.units[i])) continue;
    editDevice(step.draft, id).units = units;
    devices += 1;
  }
  return devices;
}

function isExplained(step: Step, incident: Incident, device: DeviceState, unit: UnitState): boolean {
  if (unit.counted === 0 || !concerns(incident, device, unit)) return false;
  if (incident.pattern === 'NODE_CORRELATED') return true;
  return !differsFromModalDigest(failuresOf(step.draft, incident.cohort), device, unit.family);
}

function concerns({ pattern, cohort }: Incident, device: DeviceState, { family }: UnitState): boolean {
  return pattern === 'NODE_CORRELATED' || cohortOf(device, family) === cohort;
}

function excused(unit: UnitState): UnitState {
  const { counted, answers, accused, consecutive, posterior, setAside } = unit;
  return {
    ...unit,
    ...NOTHING,
    excused: unit.excused + counted,
    setAside: {
      counted: counted + (setAside?.counted ?? 0),
      answers: answers + (setAside?.answers ?? 0),
      accused: accused + (setAside?.accused ?? 0),
      consecutive,
      posterior: posterior ?? setAside?.posterior ?? null,
    },
  };
}

import { begin, type Draft } from '../evidence/draft.js';
import { addExposure, exposureOf } from '../evidence/exposure.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { UnitState } from '../evidence/model/unit.js';
import { unitBeliefs } from '../evidence/posterior/beliefs.js';
import { failed, passed } from '../evidence/posterior/unit.js';
import { withoutJobs } from '../lifecycle/review.js';
import type { View } from './view.js';

/** Further wrong results that are tried, and clean executions. */
const MOST_FAILURES = 16;
const MOST_CLEAN = 2 ** 30;

/** What would be decided if a unit failed again. */
export interface FurtherFailures {
  unit: UnitState;
  failures: number;
  /** Of a defect, after them. */
  probability: number;
}

/**
 * How often the likeliest unit would have to fail now, in runs that the engine ordered, until a quarantine is asked for: found by asking
 * the model itself. undefined = no unit was accused alone, or so many failures would not do.
 */
export function failuresToQuarantine(view: View): FurtherFailures | undefined {
  const { device, assessment, model, facts, nowUs } = view;
  const [likeliest] = assessment.units.toSorted((a, b) => b.odds - a.odds);
  const unit = device.units.find((entry) => entry.family === likeliest?.family && entry.sm === likeliest.sm);
  if (unit === undefined || unit.posterior === null) return undefined;
  const bin = Math.max(0, 31 - Math.clz32(unit.posterior.bins));
  const beliefs = unitBeliefs(facts, device, nowUs)(unit);
  let now = unit;
  for (let failures = 1; failures <= MOST_FAILURES; failures += 1) {
    const { posterior } = now;
    if (posterior === null) return undefined;
    now = {
      ...now,
      counted: now.counted + 1,
      answers: now.answers + 1,
      accused: now.accused + 1,
      posterior: failed(posterior, beliefs, { executions: 1, failures: 1, timeUs: nowUs, bin }),
    };
    const { quarantine, probability } = model.assess(withUnit(device, unit, now), null, nowUs, facts);
    if (quarantine) return { unit, failures, probability };
  }
  return undefined;
}

/**
 * Clean executions of each unit that failed, in the circumstances of its failures, after which the odds of a defect are below `odds` at a
 * time, if the device goes on running cleanly what it runs; undefined = more than a thousand million would not do.
 */
export function cleanExecutionsUntil(view: View, odds: number, atUs: number): number | undefined {
  const { model } = view;
  // What it lost in jobs does not keep it a suspect.
  const device = withoutJobs(view.device);
  const facts = goingOn(view, atUs);
  const isBelow = (executions: number): boolean => model.odds(afterClean(device, executions), atUs, facts) < odds;
  let enough = 1;
  if (isBelow(0)) return 0;
  while (!isBelow(enough)) {
    enough *= 2;
    if (enough > MOST_CLEAN) return undefined;
  }
  let few = enough / 2;
  while (enough - few > 1) {
    const middle = Math.floor((few + enough) / 2);
    if (isBelow(middle)) enough = middle;
    else few = middle;
  }
  return enough;
}

/** What is known, and that each family runs on until a time as often as it has run so far. */
function goingOn({ device, facts }: View, untilUs: number): Draft {
  const future = begin(facts.base);
  for (const { family } of device.families) {
    const ran = exposureOf(facts, device.id, family);
    if (ran === undefined || ran.lastRunUs <= ran.firstRunUs) continue;
    const more = Math.max(0, untilUs - ran.lastRunUs) / (ran.lastRunUs - ran.firstRunUs);
    const executions = Math.floor(ran.executions * more);
    const counts = { runs: Math.floor(ran.runs * more), executions, failures: 0, notRun: 0 };
    addExposure(future, { deviceId: device.id, family, ...counts, firstRunUs: ran.firstRunUs, lastRunUs: untilUs });
  }
  return future;
}

function afterClean(device: DeviceState, executions: number): DeviceState {
  const units = device.units.map((unit) => {
    const { posterior } = unit;
    if (posterior === null) return unit;
    const bin = Math.max(0, 31 - Math.clz32(posterior.bins));
    return { ...unit, posterior: passed(posterior, executions, bin) };
  });
  return { ...device, units };
}

function withUnit(device: DeviceState, before: UnitState, after: UnitState): DeviceState {
  return { ...device, units: device.units.map((unit) => (unit === before ? after : unit)) };
}

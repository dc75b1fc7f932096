import type { Decision } from '../decision.js';
import { configOf, deviceCount, fleetOf, nodeCount } from '../draft.js';
import type { DeviceState } from '../model/device.js';
import type { Family, GateName, GateOutcome } from '../model/terms.js';
import { type Step, stepCensus } from '../step.js';
import { totalsOf } from '../unit-totals.js';
import { breadthGate } from './breadth.js';
import { cohortGate } from './cohort.js';
import { dwellGate } from './dwell.js';
import { nodeGate } from './node.js';
import { type GateAnswer, gateOutcome, REMOVED } from './outcome.js';
import { rateLimitGate } from './rate-limit.js';

export interface Evaluation {
  /** All seven, in order; gates 1 and 2 as the newest mismatch left them. */
  gates: GateOutcome[];
  decision: Decision;
  /** Some of gates 3-7 says HOLD: no QUARANTINE now. */
  held: boolean;
  /** Devices of the node that gate 6 holds a fault of the node responsible for; [] = none. */
  attributed: string[];
  /** The fault of the node that is suspected is no longer the better explanation. */
  refuted: boolean;
  /** When time alone may open one; null = never. */
  dueUs: number | null;
}

/** Gates 3-7 for a device with evidence against it. Pure: reads the draft. */
export function evaluateGates(step: Step, device: DeviceState): Evaluation {
  const { draft, model } = step;
  const { nowUs } = step.ctx;
  const settings = configOf(draft).gates;
  const census = stepCensus(step);
  const decision = model.decide(device, null, nowUs, draft);
  const families = accusedFamilies(device);

  const cohort = present(step, 'cohort', cohortGate(census, configOf(draft), device, families, nowUs), {
    accusing: families,
  });
  const qualified = cohort.accusing.length > 0 ? cohort.accusing : families;
  const firstUs = device.firstObservationUs ?? nowUs;
  const dwell = present(step, 'dwell', dwellGate(settings, nodeCount(draft), firstUs, nowUs), NO_TIME);
  const breadth = present(step, 'breadth', breadthGate(draft, census, device, qualified, nowUs), {
    accusing: qualified,
  });
  const node = present(step, 'node', nodeGate(draft, device, nowUs), { ...NO_TIME, attributed: [], refuted: false });
  const used = fleetOf(draft).automaticQuarantinesUs;
  const rate = present(step, 'rate-limit', rateLimitGate(settings, deviceCount(draft), used, nowUs), NO_TIME);

  const guards = [
    gateOutcome('cohort', carried(step, device, families, cohort), nowUs),
    gateOutcome('dwell', answerOf(dwell), nowUs),
    gateOutcome('breadth', carried(step, device, qualified, breadth), nowUs),
    gateOutcome('node', answerOf(node), nowUs),
    gateOutcome('rate-limit', answerOf(rate), nowUs),
  ];
  return {
    gates: [...evidenceGates(device, decision), ...guards],
    decision,
    held: guards.some((gate) => gate.verdict === 'HOLD'),
    attributed: node.attributed,
    refuted: node.refuted,
    dueUs: earliest([dwell.dueUs, node.dueUs, rate.dueUs]),
  };
}

const NO_TIME = { dueUs: null };

/** The answer of a gate that decides; `others` = what goes with the PASS of one that was taken out. */
function present<A extends GateAnswer>(step: Step, name: GateName, answer: A, others: Omit<A, keyof GateAnswer>): A {
  return step.gates.has(name) ? answer : ({ ...REMOVED, ...others } as A);
}

/** Families that accuse: those of counted observations, or of the uncounted ones while there are no others. */
function accusedFamilies(device: DeviceState): Family[] {
  const { failing, families } = totalsOf(device.units);
  return (failing.length > 0 ? failing : families).toSorted((a, b) => a - b);
}

/** A gate that takes some families out of the decision holds it if the evidence of the others does not suffice alone. */
function carried(
  step: Step,
  device: DeviceState,
  before: readonly Family[],
  gate: GateAnswer & { accusing: readonly Family[] },
): GateAnswer {
  const answer = answerOf(gate);
  const decides = (families: readonly Family[]): boolean =>
    step.model.decide(device, families, step.ctx.nowUs, step.draft).quarantine;
  const takesNothingOut = gate.accusing.length === before.length;
  if (answer.verdict === 'HOLD' || takesNothingOut || !decides(before) || decides(gate.accusing)) return answer;
  const reason = `${answer.reason} The evidence of the families that may accuse does not suffice alone.`;
  return { ...answer, verdict: 'HOLD', reason };
}

/** Gates 1 and 2 speak of one mismatch. Once enough others passed them, a later one that did not takes nothing back. */
function evidenceGates(device: DeviceState, { quarantine, hardObservations }: Decision): GateOutcome[] {
  const newest = device.gates.slice(0, 2);
  if (!quarantine) return newest;
  return newest.map((gate) => {
    if (gate.verdict === 'PASS') return gate;
    const reason = `${hardObservations} observations passed. The newest mismatch did not and is not counted: ${gate.reason}`;
    return { ...gate, verdict: 'PASS', reason };
  });
}

function answerOf({ verdict, reason, inputs }: GateAnswer): GateAnswer {
  return { verdict, reason, inputs };
}

export function earliest(times: readonly (number | null)[]): number | null {
  const known = times.filter((us) => us !== null);
  return known.length === 0 ? null : Math.min(...known);
}

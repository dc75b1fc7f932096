import type { GateName, GateOutcome, Verdict } from '../model/terms.js';

const GATE_NUMBERS: Readonly<Record<GateName, number>> = {
  integrity: 1,
  locality: 2,
  cohort: 3,
  dwell: 4,
  breadth: 5,
  node: 6,
  'rate-limit': 7,
};

/**
 * The gates that decide. Always all of them, except where a test or a bench shows what one of them is there for: a gate that is
 * not in the set answers PASS to everything.
 */
export type Gates = ReadonlySet<GateName>;
export const ALL_GATES: Gates = new Set(Object.keys(GATE_NUMBERS) as GateName[]);

/** What a gate answers, before it is dated. */
export interface GateAnswer {
  verdict: Verdict;
  reason: string;
  inputs: Record<string, string>;
}

export const REMOVED: GateAnswer = { verdict: 'PASS', reason: 'This gate was taken out.', inputs: {} };

export function gateOutcome(name: GateName, answer: GateAnswer, evaluatedUs: number): GateOutcome {
  return { number: GATE_NUMBERS[name], name, ...answer, evaluatedUs };
}

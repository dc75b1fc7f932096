import type { GateName, GateOutcome, Verdict } from '../model.js';

const GATE_NUMBERS: Readonly<Record<GateName, number>> = {
  integrity: 1,
  locality: 2,
  cohort: 3,
  dwell: 4,
  breadth: 5,
  node: 6,
  'rate-limit': 7,
};

/** What a gate answers, before it is dated. */
export interface GateAnswer {
  verdict: Verdict;
  reason: string;
  inputs: Record<string, string>;
}

export function gateOutcome(name: GateName, answer: GateAnswer, evaluatedUs: number): GateOutcome {
  return { number: GATE_NUMBERS[name], name, ...answer, evaluatedUs };
}

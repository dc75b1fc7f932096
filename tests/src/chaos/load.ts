import type { RunSpec } from '@sentinel/correlation-engine/testing';
import { Random } from '../harness/random.js';

/** What a device is: what its agent reports follows from it. */
export type Condition = 'sound' | 'passing-fault' | 'defective';

const MOST_RUNS = 4;
const FMA32 = 1;
const INT_AES = 2;
const BAD_SM = 1;
/** Its only wrong result. */
const PASSING_AT = 12;
/** From here on a defective device fails: thrice in a row, then now and then. */
const DEFECT_AT = 20;
const FIRST_FAILURES = 3;
const FAILURE_EVERY = 7;

/** A third of the agents each: one defective device of a node is neither an incident nor a fault of software. */
export function conditionOf(agent: number): Condition {
  return (['sound', 'passing-fault', 'defective'] as const)[agent % 3] ?? 'sound';
}

/** The runs of record `sequence` of an agent, wrong digests among them: the same for the same seed. */
export function load(seed: number, agent: number, sequence: number): RunSpec[] {
  const random = new Random(seed ^ Math.imul(agent + 1, 0x9e3779b1) ^ Math.imul(sequence, 0x85ebca6b));
  const runs = random.between(1, MOST_RUNS);
  const condition = conditionOf(agent);
  const fails = failsAt(condition, sequence);
  return Array.from({ length: runs }, (_, row) => ({
    index: sequence * MOST_RUNS + row,
    offsetUs: row * 1000,
    family: fails || random.next() < 0.7 ? FMA32 : INT_AES,
    ...(fails && (condition === 'defective' || row === 0) ? { fails: [{ sm: BAD_SM }] } : {}),
  }));
}

function failsAt(condition: Condition, sequence: number): boolean {
  if (condition === 'passing-fault') return sequence === PASSING_AT;
  if (condition === 'sound' || sequence < DEFECT_AT) return false;
  return sequence < DEFECT_AT + FIRST_FAILURES || sequence % FAILURE_EVERY === 0;
}

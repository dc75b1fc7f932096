import { AUDIT_LEDGER_SITUATIONS } from './situations/audit-ledger.js';
import { FLEET_SITUATIONS } from './situations/fleet.js';
import { INFERENCE_SITUATIONS } from './situations/inference.js';
import { OPERATIONS_SITUATIONS } from './situations/operations.js';
import type { Situation } from './situations/situation.js';
import { TRAINING_SITUATIONS } from './situations/training.js';

/** What each alert is for, in the order of the rule files. */
export const SITUATIONS: readonly Situation[] = [
  ...OPERATIONS_SITUATIONS,
  ...AUDIT_LEDGER_SITUATIONS,
  ...FLEET_SITUATIONS,
  ...TRAINING_SITUATIONS,
  ...INFERENCE_SITUATIONS,
];

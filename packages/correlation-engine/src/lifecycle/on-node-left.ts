import { editNode, nodeOf } from '../evidence/draft.js';
import type { NodeLeftRecord } from '../evidence/record.js';
import type { Step } from '../evidence/step.js';
import { forgetClaims, settleClaims } from './claims.js';

/** The node's devices keep their state and their unfinished directives; another node may claim them from now on, or has. */
export function applyNodeLeft(step: Step, record: NodeLeftRecord): void {
  if (nodeOf(step.draft, record.node)?.connected !== true) return;
  const node = editNode(step.draft, record.node);
  node.connected = false;
  forgetClaims(step, node.node);
  settleClaims(step, [...node.deviceIds]);
}

import { editNode, nodeOf } from '../evidence/draft.js';
import type { NodeLeftRecord } from '../evidence/record.js';
import type { Step } from '../evidence/step.js';

/** The node's devices keep their state and their unfinished directives; another node may claim them from now on. */
export function applyNodeLeft(step: Step, record: NodeLeftRecord): void {
  if (nodeOf(step.draft, record.node)?.connected === true) editNode(step.draft, record.node).connected = false;
}

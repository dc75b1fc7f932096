import { type Draft, editNode, nodeOf } from '../evidence/draft.js';
import { familyName } from '../evidence/families.js';
import type { BrokenGolden } from '../evidence/model/node.js';
import type { Family } from '../evidence/model/terms.js';
import { emit, type Step } from '../evidence/step.js';
import type { Compared } from './goldens.js';

/** Seeds in a row for which the golden of a node has to agree before its results are believed again. */
export const AGREEMENTS_NEEDED = 3;

/** The golden computation of this node differs from that of most others: neither its mismatches nor its passes say anything. */
export function isGoldenBroken(draft: Draft, node: string, family: Family): boolean {
  return find(draft, node, family) !== undefined;
}

/** Marks nodes that were outvoted, and takes the mark from one that agrees again. */
export function noteGolden(step: Step, node: string, family: Family, { outvoted, agrees }: Compared): void {
  for (const name of outvoted) mark(step, name, family);
  if (agrees && nodeOf(step.draft, node)?.brokenGoldens !== undefined) noteAgreement(step, node, family);
}

function mark(step: Step, node: string, family: Family): void {
  if (nodeOf(step.draft, node) === undefined) return;
  const before = find(step.draft, node, family);
  const { nowUs } = step.ctx;
  replace(step, node, family, { family, sinceUs: before?.sinceUs ?? nowUs, agreed: 0 });
  if (before === undefined) announce(step, node, family, 'golden_outvoted');
}

function noteAgreement(step: Step, node: string, family: Family): void {
  const before = find(step.draft, node, family);
  if (before === undefined) return;
  const agreed = before.agreed + 1;
  if (agreed < AGREEMENTS_NEEDED) return replace(step, node, family, { ...before, agreed });
  replace(step, node, family, undefined);
  announce(step, node, family, 'golden_agrees_again');
}

function find(draft: Draft, node: string, family: Family): BrokenGolden | undefined {
  return nodeOf(draft, node)?.brokenGoldens?.find((entry) => entry.family === family);
}

function replace(step: Step, node: string, family: Family, entry: BrokenGolden | undefined): void {
  const others = (nodeOf(step.draft, node)?.brokenGoldens ?? []).filter((other) => other.family !== family);
  editNode(step.draft, node).brokenGoldens = entry === undefined ? others : [...others, entry];
}

function announce(step: Step, node: string, family: Family, event: string): void {
  const injected = nodeOf(step.draft, node)?.testBuild ?? false;
  const subject = { gpu: '', eventUs: step.ctx.nowUs, injected };
  emit(step, 'ANOMALY', subject, { event, node, family: familyName(family) });
}

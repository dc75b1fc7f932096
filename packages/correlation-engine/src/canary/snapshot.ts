import { canariesOf, configOf, editCanaries } from '../evidence/draft.js';
import type { Step } from '../evidence/step.js';

const SECOND_US = 1_000_000;

/** The graph has changed: it is stored once the interval is over, and so is whatever else changes until then. */
export function planSnapshot(step: Step): void {
  const { trust_graph } = configOf(step.draft);
  if (canariesOf(step.draft).snapshotUs !== null) return;
  editCanaries(step.draft, { snapshotUs: step.ctx.nowUs + trust_graph.snapshot_interval_seconds * SECOND_US });
}

export function takeDueSnapshot(step: Step): void {
  const { snapshotUs, trust, edgesForgotten, closed } = canariesOf(step.draft);
  if (snapshotUs === null || snapshotUs > step.ctx.nowUs) return;
  editCanaries(step.draft, { snapshotUs: null });
  step.effects.trustSnapshots.push({ takenUs: step.ctx.nowUs, graph: { trust, edgesForgotten, closed } });
}

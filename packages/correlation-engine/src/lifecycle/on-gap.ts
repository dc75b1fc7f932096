import { editNode, nodeOf } from '../evidence/draft.js';
import { eventTimeUs } from '../evidence/event-time.js';
import type { GapRecord } from '../evidence/record.js';
import { emit, type Step } from '../evidence/step.js';

/** Reports that a full spool gave up: recorded as lost. They say nothing about any device, least of all that it is well. */
export function applyGap(step: Step, record: GapRecord): void {
  const eventUs = noteEvent(step, record.node, record.lastTimeUs);
  emit(
    step,
    'PROBE',
    { gpu: '', eventUs, injected: record.testBuild },
    {
      event: 'gap',
      node: record.node,
      build_id: record.buildId,
      spool_id: record.spoolId,
      sequence: record.sequence,
      runs: record.runs,
      executions: record.executions,
      mismatches: record.mismatches,
      first_time_us: record.firstTimeUs,
      last_time_us: record.lastTimeUs,
    },
  );
}

/** Event time of something that the node's agent dated; event times of a node never go back. */
export function noteEvent(step: Step, name: string, agentUs: number): number {
  const node = nodeOf(step.draft, name);
  if (node === undefined) return step.ctx.nowUs;
  const eventUs = eventTimeUs(node, agentUs, step.ctx.nowUs);
  if (eventUs > node.lastEventUs) editNode(step.draft, name).lastEventUs = eventUs;
  return eventUs;
}

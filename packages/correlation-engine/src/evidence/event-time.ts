import type { NodeState } from './model.js';

/** Ten years: an offset beyond says only that the agent has no clock, and is cut there so that sums stay safe integers. */
const MAX_OFFSET_US = 10 * 365 * 86_400_000_000;

/** Engine clock minus agent clock at hello, microseconds. */
export function clockOffsetUs(nowUs: number, agentTimeUs: number): number {
  return Math.max(-MAX_OFFSET_US, Math.min(MAX_OFFSET_US, nowUs - agentTimeUs));
}

export type NodeClock = Pick<NodeState, 'lastEventUs' | 'offsetUs'>;

/**
 * Event time of something that an agent's clock put at `agentUs`: corrected by the offset, never before the node's last
 * event, never after the commit. So a drained spool keeps its own times and a skewed node is no time traveller.
 */
export function eventTimeUs(node: NodeClock, agentUs: number, nowUs: number): number {
  return Math.min(nowUs, Math.max(node.lastEventUs, agentUs + node.offsetUs));
}

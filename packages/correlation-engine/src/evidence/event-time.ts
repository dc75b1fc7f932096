import type { NodeState } from './model/node.js';

/** The largest time that the shell lets pass, so that sums stay safe integers. A machine without a clock, in 1970, is well within. */
const MAX_OFFSET_US = 4_000_000_000_000_000;

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

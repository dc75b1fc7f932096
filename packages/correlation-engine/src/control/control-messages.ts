import type { AgentControlResponse } from '@sentinel/contracts/sentinel/v1/control.js';
import type { NodeState } from '../core.js';

type Message = NonNullable<AgentControlResponse['message']>;

/** What operators said about probing on a node, whole; nothing as long as nobody said anything. */
export function controlMessages(node: NodeState | undefined): Message[] {
  if (node?.control === undefined) return [];
  const { pauses, schedule } = node.control;
  const devices = pauses.map(({ gpu, untilUs, reason }) => ({ deviceId: gpu, untilUs: BigInt(untilUs), reason }));
  return [
    { $case: 'pause', value: { devices } },
    { $case: 'schedule', value: schedule ?? { yaml: '', version: '' } },
  ];
}

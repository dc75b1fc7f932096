import { RunKind } from '../core.js';
import type { TestAgent } from './agent.js';

/** A unit of a connected agent's device fails, and fails again in the burst that answers. Resolves with the commit. */
export async function failTwice(agent: TestAgent): Promise<void> {
  agent.sendAll(agent.batch([{}, { index: 1, fails: [{ sm: 1 }] }]));
  const bursts = (): string[] =>
    agent.messages.flatMap((message) =>
      message.$case === 'directive' && message.value.work?.$case === 'burst' ? message.value.id : [],
    );
  await agent.until(() => bursts().length > 0);
  const [directive = ''] = bursts();
  agent.sendAll(agent.batch([{ kind: RunKind.BURST, single: 1, index: 2, directive, fails: [{ sm: 1 }] }]));
  await agent.committed(BigInt(agent.payloads.length));
}

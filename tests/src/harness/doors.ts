import { setTimeout as delay } from 'node:timers/promises';
import type { TestAgent } from '@sentinel/correlation-engine/testing';
import type { ReplicaSet } from './replica-set.js';

const AGAIN_MS = 20;
const PATIENCE_MS = 60_000;
/** A door at which nobody says anything for so long is left for the next one. */
const SILENT_MS = 10_000;

/** Addresses of the replicas, one after the other, as an agent behind a balancer gets them. @param not a replica that is left out */
export function doors(replicas: ReplicaSet, not: number | null = null, first = 0): () => string {
  const open = replicas.all.filter((_, index) => index !== not);
  let next = first;
  return () => {
    const door = open[next % open.length];
    next += 1;
    return door?.grpc ?? '';
  };
}

/** Adds a record and delivers it with all before it, whatever it takes. @returns after how many milliseconds it was acknowledged */
export async function acknowledgedAgain(agent: TestAgent, door: () => string): Promise<number> {
  const started = performance.now();
  const last = agent.batch();
  while (performance.now() - started < PATIENCE_MS) {
    try {
      // As an agent does: what is committed and not in the history yet may be nowhere else.
      const { archivedThrough } = await agent.connect(door(), SILENT_MS);
      for (let next = archivedThrough + 1n; next <= last; next += 1n) agent.sendAll(next);
      await agent.until(() => agent.ack.committedThrough >= last || agent.error !== null, SILENT_MS);
      if (agent.ack.committedThrough >= last) return performance.now() - started;
    } catch {
      // It says so at once, or the connection is gone: the next door.
    }
    await delay(AGAIN_MS);
  }
  throw new Error(`${agent.node}: not acknowledged within ${PATIENCE_MS} ms: ${agent.error?.sentence ?? ''}`);
}

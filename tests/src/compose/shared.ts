import assert from 'node:assert/strict';
import { TestAgent } from '@sentinel/correlation-engine/testing';
import { metric, scrape } from '../harness/metrics.js';
import { until } from '../harness/until.js';
import { killed } from './kill.js';
import type { ComposeProject } from './project.js';

const ALIAS = 'correlation-engine';
const AGENTS = 6;
const RECORDS = 2_000;
const PACE = { records: 5n, restMs: 50 };
const LOOKUP = `require('node:dns').resolve4('${ALIAS}', (error, found) => process.stdout.write(JSON.stringify(found ?? error)))`;

/** Two engines behind one name: each has half of the agents, and the other takes them over. */
export async function shared(project: ComposeProject, first: string, second: string): Promise<void> {
  const engines = [await project.addressOf(first), await project.addressOf(second)];
  const found = JSON.parse(await project.exec('audit-ledger', 'node', '-e', LOOKUP)) as string[];
  assert.deepEqual(found.toSorted(), engines.toSorted(), 'the name leads to both');

  const fleetKey = await project.secret('hmac.key');
  const agents = Array.from({ length: AGENTS }, (_, index) => new TestAgent('', { node: `shared-${index}`, fleetKey }));
  for (const agent of agents) agent.batches(RECORDS);
  const deliveries = agents.map((agent, index) => agent.deliver(PACE, doors(found, index)));
  const streams = (): Promise<number[]> => Promise.all(engines.map(activeStreams));
  await until('each has agents', 60_000, async () => (await streams()).every((count) => count >= AGENTS / 2), 100);
  await killed(project, first);
  await Promise.all(deliveries);
  for (const agent of agents) {
    assert.equal(agent.ack.archivedThrough, BigInt(RECORDS));
    agent.close();
  }
}

/** Addresses one after the other, as a resolver's client takes them. */
function doors(addresses: readonly string[], from: number): () => string {
  let next = from;
  return () => {
    next += 1;
    return `${addresses[next % addresses.length]}:50051`;
  };
}

/** 0 where it does not answer. */
async function activeStreams(address: string): Promise<number> {
  return metric(await scrape(`${address}:9090`).catch(() => []), 'sentinel_grpc_active_streams');
}

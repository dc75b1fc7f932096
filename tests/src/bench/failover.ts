import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type BenchOutcome, bench, median } from '@sentinel/bench-kit';
import { TestAgent } from '@sentinel/correlation-engine/testing';
import { PostgresServer } from '@sentinel/test-kit';
import { acknowledgedAgain, doors } from '../harness/doors.js';
import { ReplicaSet } from '../harness/replica-set.js';

const TIMES = 12;
const QUICK_TIMES = 2;
const REPLICAS = 3;

/** How long reports are not acknowledged when the replica that decides is told to stop, and when it is killed. */
export default bench({
  name: 'failover',
  run: async ({ quick, folder, log }) => {
    chmodSync(folder, 0o711);
    const home = join(folder, 'postgres');
    mkdirSync(home);
    await using postgres = await PostgresServer.start(home);
    await using replicas = await ReplicaSet.start({
      folder,
      count: REPLICAS,
      settings: (_, link) => ({
        database: { postgres_url: postgres.url, sslmode: 'disable' },
        history: { url: `file://${join(folder, 'history')}` },
        redis: { url: 'redis://127.0.0.1:1' },
        replica: { listen_address: link },
      }),
    });
    const times = quick ? QUICK_TIMES : TIMES;
    const figures: Record<string, number> = { hand_offs_each: times };
    for (const [name, signal] of [
      ['sigterm', 'SIGTERM'],
      ['kill', 'SIGKILL'],
    ] as const) {
      const took: number[] = [];
      for (let i = 0; i < times; i += 1) took.push(await handOff(replicas, `${name}-${i}`, signal));
      log(`${signal}: ${took.map((ms) => ms.toFixed(0)).join(', ')} ms`);
      figures[`${name}_median_ms`] = median(took);
      figures[`${name}_worst_ms`] = Math.max(...took);
    }
    return { figures } satisfies BenchOutcome;
  },
});

/** Ends the leader under the eyes of an agent that is connected to it. @returns milliseconds until its next report is acknowledged elsewhere */
async function handOff(replicas: ReplicaSet, node: string, signal: NodeJS.Signals): Promise<number> {
  const leader = await replicas.leader();
  const { service, grpc } = replicas.at(leader);
  const agent = new TestAgent(grpc, { node });
  await acknowledgedAgain(agent, () => grpc);
  service.signal(signal);
  const ms = await acknowledgedAgain(agent, doors(replicas, leader));
  agent.close();
  await service.ended();
  await service.start();
  await replicas.serves(leader);
  return ms;
}

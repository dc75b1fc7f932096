import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { testCluster } from '@sentinel/service-kit/testing/cluster-settings';
import { CassandraServer, eventually } from '@sentinel/test-kit';
import { TestAgent } from '../../../testing/agent.js';
import { CASSANDRA } from '../../../testing/cassandra.js';
import { TestEngine } from '../../../testing/engine.js';
import { ScyllaHistory } from './scylla-history.js';

const MAIN = fileURLToPath(new URL('../../../main.js', import.meta.url));
const RECORDS = 200;

describe('Cassandra goes away under traffic', { skip: CASSANDRA.skip }, () => {
  let cassandra: CassandraServer;
  let engine: TestEngine;
  let cluster: ReturnType<typeof testCluster>;
  const agents: TestAgent[] = [];
  before(async () => {
    cassandra = await CassandraServer.start(mkdtempSync(join(tmpdir(), 'sentinel-cassandra-')));
    cluster = testCluster(cassandra.url, { request_timeout_ms: 5_000 });
    // The twin of a secret is not given together with it.
    const { password_path: _, ...scylla } = cluster;
    engine = await new TestEngine({ scylla }).start();
  });
  after(async () => {
    for (const agent of agents) agent.close();
    await engine.remove();
    await cassandra.stop();
  });

  const agentWith = (node: string): TestAgent => {
    const agent = new TestAgent(engine.grpc, { node }).batches(RECORDS);
    agents.push(agent);
    return agent;
  };
  const deliver = (agent: TestAgent): Promise<void> => agent.deliver({ records: 10n, restMs: 20 }, () => engine.grpc);
  const historyIs = async (): Promise<string> => {
    const health = (await (await fetch(`http://${engine.http}/health`)).json()) as { stores: { history: string } };
    return health.stores.history;
  };
  const stored = async (): Promise<ScyllaHistory> => ScyllaHistory.open({ cluster, retentionDays: 365 });
  const sequences = async (agent: TestAgent): Promise<number[]> => {
    const history = await stored();
    const found: number[] = [];
    for await (const { record } of history.read(agent.device, 0, null)) found.push(record.sequence);
    await history.close();
    return found.toReversed();
  };
  const inOrder = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1);

  /** What is under way may be archived still; what comes while the history is away is decided, and not archived. */
  const decidesAlone = async (late: TestAgent): Promise<void> => {
    await late.committed(BigInt(RECORDS));
    await eventually(async () => (await historyIs()) === 'away', { what: 'the history is away' });
    assert.equal(late.ack.archivedThrough, 0n);
  };

  it('by SIGKILL: what was called archived is there after its restart, and the rest follows', async () => {
    const [agent, late] = [agentWith('killed'), agentWith('after-the-kill')];
    const done = deliver(agent);
    await agent.archived(1n);
    await cassandra.kill();
    const lateDone = deliver(late);
    await decidesAlone(late);
    const told = agent.ack.archivedThrough;
    await cassandra.start();
    const archivedThrough = async (): Promise<number | null> => {
      const history = await stored();
      const through = history.archivedThrough('killed', agent.spoolId.toString('hex'));
      await history.close();
      return through;
    };
    const restarted = await eventually(archivedThrough, { what: 'the history says what it has' });
    assert.ok(Number(told) <= restarted, `told ${told}, durable ${restarted}`);
    await Promise.all([done, lateDone]);
    for (const each of [agent, late]) assert.deepEqual(await sequences(each), inOrder(RECORDS));
  });

  it('by SIGSTOP: it is missed within seconds, and nothing is called archived meanwhile', async () => {
    const [agent, late] = [agentWith('frozen'), agentWith('after-the-stop')];
    const done = deliver(agent);
    await agent.archived(20n);
    cassandra.pause();
    const lateDone = deliver(late);
    await decidesAlone(late);
    cassandra.resume();
    await Promise.all([done, lateDone]);
    for (const each of [agent, late]) assert.deepEqual(await sequences(each), inOrder(RECORDS));
  });

  it('while the engine starts: it decides, and archives once Cassandra is back', async () => {
    const agent = agentWith('started');
    await engine.stop();
    await cassandra.kill();
    await engine.start();
    const done = deliver(agent);
    await agent.committed(BigInt(RECORDS));
    assert.equal(agent.ack.archivedThrough, 0n);
    await cassandra.start();
    await done;
    assert.deepEqual(await sequences(agent), inOrder(RECORDS));
    assert.deepEqual(engine.fatal, []);
  });

  it('after all that a replay from the cluster decides the same', async () => {
    const argv = [MAIN, 'replay', '--config', join(engine.folder, 'sentinel.yaml'), '--output', 'json'];
    const { stdout } = await promisify(execFile)(process.execPath, argv);
    const report = JSON.parse(stdout) as { records: number; disagreement: unknown };
    assert.equal(report.disagreement, null);
    assert.ok(report.records >= 3 * RECORDS);
  });
});

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { SentinelError } from '@sentinel/service-kit/errors';
import { type AgentOptions, TestAgent } from '../testing/agent.js';
import { TestEngine } from '../testing/engine.js';

describe('the hello', () => {
  const engine = new TestEngine();
  before(() => engine.start());
  after(() => engine.remove());

  const refusal = async (options: AgentOptions): Promise<string> => {
    const agent = new TestAgent(engine.grpc, options);
    try {
      await agent.connect();
      return 'welcome';
    } catch (error) {
      return `${SentinelError.from(error).code} ${SentinelError.from(error).reason}`;
    } finally {
      agent.close();
    }
  };

  it('registers an agent that proves its key', async () => {
    const agent = new TestAgent(engine.grpc, { node: 'first' });
    const welcome = await agent.connect();
    assert.deepEqual([welcome.committedThrough, welcome.archivedThrough, welcome.fencingEpoch], [0n, 0n, 1n]);
    const line = engine.lines.find(({ message }) => message === 'agent registered');
    assert.equal(line?.['node'], 'first');
    assert.deepEqual(await engine.sql('select epoch from node_owners where node = $1', ['first']), [{ epoch: '1' }]);
    agent.close();
  });

  const refusals: [string, string, AgentOptions][] = [
    ['a key that is not the fleet key', 'UNAUTHENTICATED BAD_MAC', { fleetKey: 'some other key of that length' }],
    ['an unknown key id', 'UNAUTHENTICATED UNKNOWN_KEY', { keyId: 'none' }],
    ['a test build', 'PERMISSION_DENIED TEST_BUILD_REFUSED', { testBuild: true }],
    ['a node name with a slash', 'INVALID_ARGUMENT INVALID_FIELD', { node: 'a/b' }],
    ['a build id with an escape sequence', 'INVALID_ARGUMENT INVALID_FIELD', { buildId: 'b\u001b[31m' }],
    ['a device named twice', 'INVALID_ARGUMENT INVALID_FIELD', { devices: ['CPU-x', 'CPU-x'] }],
  ];
  for (const [what, expected, options] of refusals) {
    it(`refuses ${what} and registers nothing`, async () => {
      const nodes = await engine.sql('select node from nodes');
      assert.equal(await refusal(options), expected);
      assert.deepEqual(await engine.sql('select node from nodes'), nodes);
    });
  }

  it('follows the enrolment list of a reload', async () => {
    engine.reload({ enrolment: 'closed', enrolled_nodes: ['listed'] });
    assert.equal(await refusal({ node: 'unlisted' }), 'PERMISSION_DENIED NOT_ENROLLED');
    assert.equal(await refusal({ node: 'listed' }), 'welcome');
    engine.reload({ enrolment: 'open', enrolled_nodes: [] });
    assert.equal(await refusal({ node: 'unlisted' }), 'welcome');
  });

  it('gives a node to its newest connection, and takes nothing more from the older one', async () => {
    const older = new TestAgent(engine.grpc, { node: 'twice' });
    await older.connect();
    older.batch();
    older.sendAll(1n);
    await older.committed(1n);
    const newer = new TestAgent(engine.grpc, { node: 'twice' });
    assert.equal((await newer.connect()).fencingEpoch, 2n);
    const error = await older.failed();
    assert.deepEqual([error.code, error.reason], ['ABORTED', 'STALE_OWNER']);
    newer.batch();
    newer.sendAll(1n);
    await newer.archived(1n);
    assert.equal(
      engine.lines.filter(({ message, node }) => message === 'agent registered' && node === 'twice').length,
      2,
    );
    const [node] = await engine.sql<{ body: { connected: boolean } }>(`select body from nodes where node = 'twice'`);
    assert.equal(node?.body.connected, true);
    older.close();
    newer.close();
  });

  it('sends a canary again to who comes back before it has answered, as it may not have got it', async () => {
    engine.reload({ tmr: { interval_seconds: 1, timeout_ms: 600_000 } });
    const agents = ['x', 'y', 'z'].map((node) => new TestAgent(engine.grpc, { node }));
    await Promise.all(agents.map((agent) => agent.connect()));
    const [agent] = agents;
    assert.ok(agent !== undefined);
    const canaries = () =>
      agent.messages.flatMap((message) =>
        message.$case === 'directive' && message.value.work?.$case === 'canary' ? [message.value.id] : [],
      );
    await agent.until(() => canaries().length > 0);
    const [first] = canaries();
    await agent.connect();
    await agent.until(() => canaries().filter((id) => id === first).length === 2);
    engine.reload({ tmr: { enabled: false } });
    for (const each of agents) each.close();
  });

  it('survives random bytes in place of messages', async () => {
    const agent = new TestAgent(engine.grpc, { node: 'noise' });
    await agent.connect();
    const socket = await import('node:net').then(({ connect }) =>
      connect(Number(engine.grpc.split(':')[1]), '127.0.0.1'),
    );
    socket.on('error', () => {});
    socket.write(randomBytes(4096));
    agent.batch();
    agent.sendAll(1n);
    await agent.archived(1n);
    socket.destroy();
    agent.close();
  });
});

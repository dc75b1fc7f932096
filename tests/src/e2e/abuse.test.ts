import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Device } from '@sentinel/contracts/sentinel/v1/common.js';
import { StreamProbeResultsRequest } from '@sentinel/contracts/sentinel/v1/probe.js';
import type { ErrorCode, ErrorReason, SentinelError } from '@sentinel/service-kit/errors';
import { batchOf, device } from '../harness/batches.js';
import { EngineSql } from '../harness/engine-sql.js';
import { metric, scrape } from '../harness/metrics.js';
import { Random } from '../harness/random.js';
import { cutFrame, rawGrpcCall, sendBytes } from '../harness/raw-tcp.js';
import { ScriptedAgent, type ScriptedAgentOptions } from '../harness/scripted-agent.js';
import { Stack } from '../harness/stack.js';
import { until } from '../harness/until.js';

const BYSTANDER_PAUSE_MS = 50;
/** Above a record's limit, below a message's. */
const LARGE_BYTES = 2 * 1024 * 1024;
const OVERSIZED_BYTES = 20 * 1024 * 1024;
const RANDOM_CONNECTIONS = 8;
const RANDOM_BYTES = 4096;
const RESULTS_PATH = '/sentinel.v1.ProbeService/StreamProbeResults';

/** What is done wrong after a good hello and one good batch, and what the engine must answer. */
interface Abuse {
  readonly name: string;
  readonly commit: (agent: ScriptedAgent, target: Device) => void;
  readonly code: ErrorCode;
  readonly reason: ErrorReason;
}

const ABUSES: readonly Abuse[] = [
  {
    name: 'a batch whose MAC is wrong',
    commit: (agent, target) => {
      const envelope = agent.seal(batchOf(target, [{}]));
      envelope.mac[31] = (envelope.mac[31] ?? 0) ^ 1;
      agent.write(envelope);
    },
    code: 'UNAUTHENTICATED',
    reason: 'BAD_MAC',
  },
  {
    name: 'a payload that was changed under its MAC',
    commit: (agent, target) => {
      const envelope = agent.seal(batchOf(target, [{}]));
      const last = envelope.payload.length - 1;
      envelope.payload[last] = (envelope.payload[last] ?? 0) ^ 1;
      agent.write(envelope);
    },
    code: 'UNAUTHENTICATED',
    reason: 'BAD_MAC',
  },
  {
    name: 'a key id that the engine does not have',
    commit: (agent, target) => agent.write({ ...agent.seal(batchOf(target, [{}])), keyId: 'nobody' }),
    code: 'UNAUTHENTICATED',
    reason: 'UNKNOWN_KEY',
  },
  {
    name: 'a payload cut in the middle, with a right MAC',
    commit: (agent, target) => {
      const whole = agent.seal(batchOf(target, [{ mismatch: { sm: 0 } }])).payload;
      agent.write(agent.sealBytes(whole.subarray(0, whole.length - 7)));
    },
    code: 'INVALID_ARGUMENT',
    reason: 'MALFORMED',
  },
  {
    name: 'columns of different lengths, with a right MAC',
    commit: (agent, target) => {
      const batch = batchOf(target, [{}, {}]);
      batch.smsRun.pop();
      agent.write(agent.seal(batch));
    },
    code: 'INVALID_ARGUMENT',
    reason: 'INVALID_FIELD',
  },
  {
    name: 'a sequence that leaves a gap',
    commit: (agent, target) => agent.write(agent.seal(batchOf(target, [{}]), agent.sequence + 2)),
    code: 'FAILED_PRECONDITION',
    reason: 'SEQUENCE_GAP',
  },
  {
    name: 'batches in the wrong order',
    commit: (agent, target) => {
      const [first, second] = [
        agent.seal(batchOf(target, [{}]), agent.sequence + 1),
        agent.seal(batchOf(target, [{}]), agent.sequence + 2),
      ];
      agent.write(second);
      agent.write(first);
    },
    code: 'FAILED_PRECONDITION',
    reason: 'SEQUENCE_GAP',
  },
  {
    name: "another node's name in the envelope",
    commit: (agent, target) => agent.write({ ...agent.seal(batchOf(target, [{}])), node: 'bystander' }),
    code: 'PERMISSION_DENIED',
    reason: 'NODE_MISMATCH',
  },
  {
    name: 'a payload that is larger than a record may be',
    commit: (agent) => agent.write(agent.sealBytes(Buffer.alloc(LARGE_BYTES))),
    code: 'RESOURCE_EXHAUSTED',
    reason: 'TOO_LARGE',
  },
  {
    name: 'a message that is larger than any may be',
    commit: (agent) => agent.write(agent.sealBytes(Buffer.alloc(OVERSIZED_BYTES))),
    code: 'RESOURCE_EXHAUSTED',
    reason: 'TOO_LARGE',
  },
  {
    name: 'bytes that are no envelope',
    commit: (agent) => agent.write(Buffer.from('0affffffff0f', 'hex')),
    code: 'INVALID_ARGUMENT',
    reason: 'MALFORMED',
  },
];

for (const tls of [false, true]) {
  describe(`abuse of the uplink (${tls ? 'mTLS' : 'plaintext'})`, { timeout: 300_000 }, () => {
    let stack: Stack;
    let sql: EngineSql;
    let bystander: Bystander;
    let attacks = 0;

    before(async () => {
      stack = await Stack.start({ tls, engine: { allow_test_builds: false } });
      sql = await EngineSql.open(stack);
      bystander = await Bystander.start(options('bystander'));
    });
    after(async () => {
      await bystander?.stop();
      await sql?.close();
      await stack?.stop();
    });

    function options(node: string, change: Partial<ScriptedAgentOptions> = {}): ScriptedAgentOptions {
      const connection = stack.connection('engine', 'probe-agent');
      return { connection, node, fleetKey: stack.secrets.fleetKey, devices: [device(`CPU-${node}`, 2)], ...change };
    }

    async function attacker(): Promise<ScriptedAgent> {
      attacks += 1;
      const agent = new ScriptedAgent(options(`attacker-${attacks}`));
      await agent.hello();
      await agent.send(batchOf(device(`CPU-${agent.node}`, 2), [{}]));
      return agent;
    }

    function refused(reason: ErrorReason): Promise<number> {
      return scrape(stack.address.engine.metrics).then((samples) =>
        metric(samples, 'sentinel_refused_total', { reason }),
      );
    }

    async function assertRefused(
      error: SentinelError,
      code: ErrorCode,
      reason: ErrorReason,
      before: number,
    ): Promise<void> {
      assert.deepEqual([error.code, error.reason], [code, reason], error.sentence);
      await until(`the counter of ${reason}`, 30_000, async () => (await refused(reason)) > before);
    }

    for (const { name, commit, code, reason } of ABUSES) {
      test(`${name} is refused with ${code} / ${reason}, counted, and changes nothing`, async () => {
        const agent = await attacker();
        try {
          const [counters, count] = [await sql.counters(`CPU-${agent.node}`), await refused(reason)];
          commit(agent, device(`CPU-${agent.node}`, 2));
          await assertRefused(await agent.refusal(), code, reason, count);
          assert.deepEqual(await sql.counters(`CPU-${agent.node}`), counters);
          await bystander.assertUnharmed();
        } finally {
          agent.close();
        }
      });
    }

    test('a hello with a wrong MAC is refused and binds nothing', async () => {
      const agent = new ScriptedAgent(options('impostor'));
      const count = await refused('BAD_MAC');
      const error = await agent.hello({ tamperMac: true }).then(
        () => assert.fail('welcomed'),
        (thrown: SentinelError) => thrown,
      );
      agent.close();
      await assertRefused(error, 'UNAUTHENTICATED', 'BAD_MAC', count);
      assert.equal(
        (await sql.watermarks()).some(({ node }) => node === 'impostor'),
        false,
      );
    });

    if (tls) {
      test("another node's certificate is refused, and one's own is not", async () => {
        const own = await stack.certificates?.forNode('owner');
        assert.ok(own);
        const connection = {
          address: stack.address.engine.grpc,
          tls: { files: own, keyPrefix: 'test.tls', serverName: 'localhost' },
        };
        const owner = new ScriptedAgent(options('owner', { connection }));
        await owner.hello();
        owner.close();
        const thief = new ScriptedAgent(options('someone-else', { connection }));
        const count = await refused('NODE_MISMATCH');
        const error = await thief.hello().then(
          () => assert.fail('welcomed'),
          (thrown: SentinelError) => thrown,
        );
        thief.close();
        await assertRefused(error, 'PERMISSION_DENIED', 'NODE_MISMATCH', count);
        await bystander.assertUnharmed();
      });
    }

    test('a node that is not enrolled is refused while enrolment is closed', async () => {
      await stack.reconfigureEngine({ enrolment: 'closed', enrolled_nodes: ['bystander'] });
      const agent = new ScriptedAgent(options('stranger'));
      const count = await refused('NOT_ENROLLED');
      const error = await agent.hello().then(
        () => assert.fail('welcomed'),
        (thrown: SentinelError) => thrown,
      );
      agent.close();
      await stack.reconfigureEngine({});
      await assertRefused(error, 'PERMISSION_DENIED', 'NOT_ENROLLED', count);
      await bystander.assertUnharmed();
    });

    test('results without a hello are refused', async () => {
      const agent = new ScriptedAgent(options('hasty'));
      const count = await refused('HELLO_REQUIRED');
      agent.write(agent.seal(batchOf(device('CPU-hasty', 2), [{}])));
      await assertRefused(await agent.refusal(), 'FAILED_PRECONDITION', 'HELLO_REQUIRED', count);
      agent.close();
    });

    test('a test build is refused unless it is allowed', async () => {
      const agent = new ScriptedAgent(options('tester', { testBuild: true }));
      const count = await refused('TEST_BUILD_REFUSED');
      const error = await agent.hello().then(
        () => assert.fail('welcomed'),
        (thrown: SentinelError) => thrown,
      );
      agent.close();
      assert.equal(error.reason, 'TEST_BUILD_REFUSED');
      await until('the counter', 30_000, async () => (await refused('TEST_BUILD_REFUSED')) > count);
    });

    test('duplicated and replayed batches are acknowledged and change nothing', async () => {
      const agent = await attacker();
      const target = device(`CPU-${agent.node}`, 2);
      const envelope = await agent.send(batchOf(target, [{ mismatch: { sm: 1 } }, {}]));
      const before = await snapshot(agent.node);
      const acks = agent.acks.length;
      for (let i = 0; i < 20; i += 1) agent.write(envelope);
      await until('answers to the duplicates', 30_000, () => agent.acks.length > acks);
      await agent.send(batchOf(target, []));
      assert.deepEqual(await snapshot(agent.node), before);
      agent.close();

      // A recorded batch on another connection of the same node, after a new hello with the same spool.
      const again = new ScriptedAgent(options(agent.node));
      again.spoolId = agent.spoolId;
      again.sequence = agent.sequence;
      const welcome = await again.hello();
      assert.equal(Number(welcome.committedThrough), agent.sequence);
      again.write(envelope);
      await again.committed(agent.sequence);
      assert.deepEqual(await snapshot(agent.node), before);
      again.close();
    });

    async function snapshot(node: string) {
      return { counters: await sql.counters(`CPU-${node}`), failing: await sql.failing(`CPU-${node}`) };
    }

    test('random bytes and cut frames on every port harm nobody', async () => {
      const random = new Random(20_261_124);
      const ports = [...Object.values(stack.address.engine), ...Object.values(stack.address.ledger)];
      await Promise.all(
        ports.flatMap((port) =>
          Array.from({ length: RANDOM_CONNECTIONS }, () =>
            sendBytes(port, random.bytes(random.between(1, RANDOM_BYTES))),
          ),
        ),
      );
      if (!tls) {
        const envelope = StreamProbeResultsRequest.encode(
          StreamProbeResultsRequest.fromPartial({ node: 'x', sequence: 1n }),
        ).finish();
        for (const body of [
          cutFrame(envelope, 1_000_000),
          cutFrame(envelope, 0xffff_ffff),
          Buffer.alloc(3),
          random.bytes(500),
        ]) {
          const status = await rawGrpcCall(stack.address.engine.grpc, RESULTS_PATH, body);
          assert.notEqual(status, '0');
        }
      }
      await bystander.assertUnharmed();
      assert.deepEqual([stack.engine.restarts, stack.engine.pid !== null, stack.ledger.pid !== null], [0, true, true]);
    });
  });
}

/** An agent that does nothing wrong, and must not notice what others do. */
class Bystander {
  readonly #agent: ScriptedAgent;
  readonly #device: Device;
  #stopped = false;
  #loop: Promise<void> = Promise.resolve();

  private constructor(options: ScriptedAgentOptions, target: Device) {
    this.#agent = new ScriptedAgent(options);
    this.#device = target;
  }

  static async start(options: ScriptedAgentOptions): Promise<Bystander> {
    const [target] = options.devices;
    assert.ok(target);
    const bystander = new Bystander(options, target);
    await bystander.#agent.hello();
    bystander.#loop = bystander.#report();
    return bystander;
  }

  async #report(): Promise<void> {
    while (!this.#stopped && this.#agent.failure === null) {
      await this.#agent.send(batchOf(this.#device, [{}, {}])).catch(() => undefined);
      await delay(BYSTANDER_PAUSE_MS);
    }
  }

  /** Its streams still live, and the next batch is committed. */
  async assertUnharmed(): Promise<void> {
    const before = this.#agent.committedThrough;
    await until(
      'the bystander goes on',
      30_000,
      () => this.#agent.failure !== null || this.#agent.committedThrough > before + 1,
    );
    assert.equal(this.#agent.failure, null);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loop;
    this.#agent.close();
  }
}

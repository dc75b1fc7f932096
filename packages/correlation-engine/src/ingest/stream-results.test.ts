import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Gap, UplinkPayload } from '@sentinel/contracts/sentinel/v1/probe.js';
import { TestAgent } from '../testing/agent.js';
import { TestEngine } from '../testing/engine.js';

interface Counts extends Record<string, unknown> {
  runs: string;
  executions: string;
}

describe('the uplink', () => {
  const engine = new TestEngine();
  before(() => engine.start());
  after(() => engine.remove());

  const agent = async (node: string): Promise<TestAgent> => {
    const made = new TestAgent(engine.grpc, { node });
    await made.connect();
    return made;
  };
  const counts = async (device: string): Promise<number[]> => {
    const [row] = await engine.sql<Counts>(
      'select runs, executions from counters where device_id = $1 and family = 1',
      [device],
    );
    return [Number(row?.runs ?? 0), Number(row?.executions ?? 0)];
  };

  it('commits, archives and acknowledges', async () => {
    const one = await agent('plain');
    one.batch([{}, { index: 1 }]);
    one.batch();
    one.sendAll(1n, 2n);
    await one.archived(2n);
    assert.deepEqual(await counts(one.device), [3, 12]);
    const spools = await engine.sql('select committed_through from spools where node = $1', ['plain']);
    assert.deepEqual(spools, [{ committed_through: '2' }]);
    one.close();
  });

  it('counts a repeated record once and acknowledges it again', async () => {
    const one = await agent('repeats');
    for (let i = 0; i < 3; i += 1) one.batch();
    one.sendAll(1n, 2n, 2n, 1n, 3n, 3n);
    await one.archived(3n);
    await one.connect();
    one.sendAll(1n, 2n, 3n);
    one.batch();
    one.sendAll(4n);
    await one.archived(4n);
    assert.deepEqual(await counts(one.device), [4, 16]);
    one.close();
  });

  it('refuses a record out of order, and takes it in order afterwards', async () => {
    const one = await agent('order');
    for (let i = 0; i < 3; i += 1) one.batch();
    one.sendAll(1n, 3n);
    assert.equal((await one.failed()).reason, 'SEQUENCE_GAP');
    await one.connect();
    one.sendAll(1n, 2n, 3n);
    await one.archived(3n);
    assert.deepEqual(await counts(one.device), [3, 12]);
    one.close();
  });

  it('refuses what a test build found, and takes its counts alone', async () => {
    const one = await agent('leftover');
    const leave = (body: UplinkPayload['body']): void => {
      const payload = { createdUs: 1n, buildId: 'b', testBuild: true, body };
      one.send(one.seal(1n, { payload: Buffer.from(UplinkPayload.encode(payload).finish()) }));
    };
    leave({ $case: 'events', value: { events: [] } });
    assert.equal((await one.failed()).reason, 'TEST_BUILD_REFUSED');
    await one.connect();
    leave({ $case: 'gap', value: Gap.fromPartial({ runs: 1, mismatches: 1 }) });
    await one.archived(1n);
    one.close();
  });

  const bystander = async (): Promise<() => Promise<void>> => {
    const one = await agent('bystander');
    return async () => {
      one.batch();
      one.sendAll(BigInt(one.payloads.length));
      await one.committed(BigInt(one.payloads.length));
      assert.equal(one.error, null);
      one.close();
    };
  };

  const payloadOf = (buildId: string): Buffer => {
    const body = { $case: 'gap' as const, value: Gap.fromPartial({ runs: 1 }) };
    return Buffer.from(UplinkPayload.encode({ createdUs: 1n, buildId, testBuild: false, body }).finish());
  };

  const refusals: [string, string, string, (agent: TestAgent) => void][] = [
    ['a wrong MAC', 'UNAUTHENTICATED', 'BAD_MAC', (one) => one.send(one.seal(one.batch(), { mac: Buffer.alloc(32) }))],
    [
      'a changed payload',
      'UNAUTHENTICATED',
      'BAD_MAC',
      (one) => one.send({ ...one.seal(one.batch()), payload: Buffer.from('x') }),
    ],
    ['an unknown key', 'UNAUTHENTICATED', 'UNKNOWN_KEY', (one) => one.send(one.seal(one.batch(), { keyId: 'other' }))],
    [
      'another node',
      'PERMISSION_DENIED',
      'NODE_MISMATCH',
      (one) => one.send(one.seal(one.batch(), { node: 'stranger' })),
    ],
    [
      'another spool',
      'INVALID_ARGUMENT',
      'INVALID_FIELD',
      (one) => one.send(one.seal(one.batch(), { spoolId: Buffer.alloc(16) })),
    ],
    [
      'a payload that cannot be decoded',
      'INVALID_ARGUMENT',
      'MALFORMED',
      (one) => one.send(one.seal(1n, { payload: Buffer.from([0x0a, 0xff]) })),
    ],
    [
      'a payload that is too large',
      'RESOURCE_EXHAUSTED',
      'TOO_LARGE',
      (one) => one.send(one.seal(1n, { payload: Buffer.alloc(1024 * 1024 + 1) })),
    ],
    [
      'a batch that makes no sense',
      'INVALID_ARGUMENT',
      'INVALID_FIELD',
      (one) => one.send(one.seal(one.batch([{ family: 300 }]))),
    ],
    [
      'more other SMs than the device has',
      'INVALID_ARGUMENT',
      'INVALID_FIELD',
      (one) => one.send(one.seal(one.batch([{ fails: [{ sm: 1, siblingsRun: 65_535, siblingsPassed: 65_535 }] }]))),
    ],
    [
      'more planned SMs than the device has',
      'INVALID_ARGUMENT',
      'INVALID_FIELD',
      (one) => one.send(one.seal(one.batch([{ sms: Array.from({ length: 65_535 }, (_, sm) => sm) }]))),
    ],
    [
      'a build id with a NUL',
      'INVALID_ARGUMENT',
      'INVALID_FIELD',
      (one) => one.send(one.seal(1n, { payload: payloadOf('b\0') })),
    ],
    [
      'an empty payload',
      'INVALID_ARGUMENT',
      'MALFORMED',
      (one) => one.send(one.seal(1n, { payload: Buffer.alloc(0) })),
    ],
  ];
  for (const [what, code, reason, offend] of refusals) {
    it(`refuses ${what}, at the cost of the sender alone`, async () => {
      const other = await bystander();
      const one = await agent('offender');
      const sample = `sentinel_refused_total{place="results",reason="${reason}"}`;
      const before = await engine.metric(sample);
      offend(one);
      const error = await one.failed();
      assert.deepEqual([error.code, error.reason], [code, reason]);
      assert.equal(await engine.metric(sample), before + 1);
      await other();
      one.close();
    });
  }

  it('takes what an earlier shape of the device may have done before the hello, and gate 1 holds its mismatches', async () => {
    let nowMs = Date.now();
    const one = new TestAgent(engine.grpc, { node: 'shrunk', clock: () => nowMs });
    const sequence = one.batch([{ fails: [{ sm: 1, siblingsRun: 7, siblingsPassed: 7 }] }]);
    nowMs += 60_000;
    await one.connect();
    one.sendAll(sequence);
    await one.committed(sequence);
    const [observation] = await engine.sql<{ held_by: string }>(
      `select held_by from observations where device_id = 'CPU-shrunk'`,
    );
    assert.equal(observation?.held_by, 'integrity');
    one.close();
  });

  it('needs a completed hello on the same connection', async () => {
    const other = await agent('honest');
    const stranger = new TestAgent(engine.grpc, { node: 'honest' });
    stranger.batch();
    stranger.sendAll(1n);
    const error = await stranger.failed();
    assert.deepEqual([error.code, error.reason], ['FAILED_PRECONDITION', 'HELLO_REQUIRED']);
    stranger.close();
    other.close();
  });

  it('slows an agent down instead of growing', async () => {
    const one = await agent('eager');
    for (let i = 0; i < 2000; i += 1) one.batch();
    one.sendAll(...Array.from({ length: 2000 }, (_, i) => BigInt(i + 1)));
    await one.archived(2000n);
    assert.deepEqual(await counts(one.device), [2000, 8000]);
    one.close();
  });
});

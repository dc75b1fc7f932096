import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  eventually,
  makeAuthority,
  RedisServer,
  type TemporaryFolder,
  temporaryFolder,
  testServer,
} from '@sentinel/test-kit';
import { TestAgent } from '../../testing/agent.js';
import { failTwice } from '../../testing/fail-twice.js';
import { Replicas } from '../../testing/replicas.js';

const { skip } = await testServer('redis');

interface Health {
  readonly status: string;
  readonly stores: { readonly bus: string };
  readonly reasons: readonly string[];
}

/** A real engine, a real server with password and TLS. */
describe('an engine and the settings of its Redis', { skip }, () => {
  let folder: TemporaryFolder;
  let redis: RedisServer;
  let caFile = '';
  let strangerFile = '';
  before(async () => {
    folder = await temporaryFolder();
    const authority = await makeAuthority(folder.join('one'));
    caFile = authority.caFile;
    strangerFile = (await makeAuthority(folder.join('two'))).caFile;
    redis = await RedisServer.start({ password: 'right-secret', tls: await authority.issue('redis') });
  });
  after(async () => {
    await redis.stop();
    await folder[Symbol.asyncDispose]();
  });

  /** Decides about a device, and says how it is once it gives this reason, or once its bus is up where there is none. */
  const decideWith = async (settings: { url: string; ca_file: string }, said: RegExp | null): Promise<Health> => {
    const bus = said === null ? 'up' : 'away';
    const replicas = await Replicas.start(1, {
      redis: settings,
      gates: { dwell_small_seconds: 0, deep_test_seconds: 0 },
    });
    try {
      const { first } = replicas;
      const agent = new TestAgent(first.grpc, { node: 'n' });
      await agent.connect();
      await failTwice(agent);
      agent.close();
      const [device] = await first.sql<{ state: string }>('select state from devices');
      assert.equal(device?.state, 'QUARANTINED');
      const health = async (): Promise<Health | null> => {
        const answer = await fetch(`http://${first.http}/health`);
        assert.equal(answer.status, 200, 'it decides');
        const report = (await answer.json()) as Health;
        assert.equal(report.stores.bus, bus);
        // A machine that stands still adds reasons of its own, for a while.
        if (said !== null) assert.match(report.reasons[0] ?? '', said);
        return report;
      };
      const report = await eventually(health, { what: `the bus is ${bus}, and it says why` });
      assert.equal(await first.metric('sentinel_store_up{store="bus"}'), bus === 'up' ? 1 : 0);
      assert.doesNotMatch(JSON.stringify([report, first.lines]), /secret/);
      return report;
    } finally {
      await replicas.remove();
    }
  };

  test('password, TLS and authority as they should be', async () => {
    const { reasons } = await decideWith({ url: redis.url, ca_file: caFile }, null);
    assert.doesNotMatch(reasons.join(), /live updates/);
  });

  const WRONG: readonly (readonly [string, () => { url: string; ca_file: string }, RegExp])[] = [
    [
      'a wrong password',
      () => ({ url: redis.url.replace('right', 'wrong'), ca_file: caFile }),
      /^decisions go on, live updates .* refuses user and password\. Correct them in correlation_engine\.redis\.url/,
    ],
    ['another authority', () => ({ url: redis.url, ca_file: strangerFile }), /in correlation_engine\.redis\.ca_file/],
    [
      'no TLS where the server wants it',
      () => ({ url: redis.url.replace('rediss', 'redis'), ca_file: '' }),
      /write rediss:\/\/ in correlation_engine\.redis\.url/,
    ],
  ];
  for (const [what, settings, said] of WRONG) {
    test(`${what}: it decides, and /health names the setting`, async () => {
      const { status } = await decideWith(settings(), said);
      assert.equal(status, 'degraded');
    });
  }
});

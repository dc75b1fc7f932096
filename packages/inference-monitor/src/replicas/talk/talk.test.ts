/** Monitors that ask each other over TLS, with the certificates of an installation. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReplicaServiceClient } from '@sentinel/contracts/sentinel/v1/replica.js';
import { temporaryFolder } from '@sentinel/monitor-kit/testing/until';
import { SentinelError } from '@sentinel/service-kit/errors';
import { callUnary, createClient } from '@sentinel/service-kit/grpc-client';
import { startGrpcServer } from '@sentinel/service-kit/grpc-server';
import { silentLogger } from '@sentinel/service-kit/logging';
import type { TlsFiles } from '@sentinel/service-kit/tls';
import { makeAuthority } from '@sentinel/test-kit';
import type { About } from './about.js';
import { type AskedOutcome, Peers } from './peers.js';
import { type Answered, ReplicaService } from './replica-service.js';

const ABOUT: About = {
  ...{ replica: 'a', node: 'node-a', gpus: ['GPU-a'], model: 'tiny', configHash: 'ab'.repeat(32) },
  serverHash: 'ab'.repeat(32),
  ...{ repeatable: { canary: true, replay: false }, contradictions: 2, sinceUs: 7, weights: 'cd'.repeat(32) },
};
const CANARY = { $case: 'canary', value: { prompt: 'p', maxTokens: 4, fresh: false } } as const;
const EMPTY = { digest: Buffer.alloc(8, 7), values: [1], count: 1, tokens: [5] };

function service(about: Partial<About>, nowMs = () => 0) {
  const outcomes: Answered[] = [];
  const made = new ReplicaService({
    about: () => ({ ...ABOUT, ...about }),
    ...{ intervalS: 60, nowMs, log: silentLogger() },
    answer: async () => EMPTY,
    onAnswered: (outcome) => outcomes.push(outcome),
  });
  return { made, outcomes };
}

async function listen({ made }: ReturnType<typeof service>, files: TlsFiles) {
  return startGrpcServer({
    ...{ address: '127.0.0.1:0', addressKey: 'test', insecure: false, log: silentLogger() },
    ...{ tokens: { operator: '', service: '' }, maxMessageBytes: 2 ** 21, services: [made.entry()] },
    tls: { files, keyPrefix: 'test.tls', mutual: true },
  });
}

function clientTo(address: string, files: TlsFiles): ReplicaServiceClient {
  const tls = { files, keyPrefix: 'test.tls', serverName: '', serverRole: 'monitor' } as const;
  return createClient(
    ReplicaServiceClient,
    { address, tls, token: '' },
    { 'grpc.ssl_target_name_override': 'monitor' },
  );
}

async function asked(address: string, files: TlsFiles, about: Partial<About> = {}) {
  const outcomes: AskedOutcome[] = [];
  const peers = new Peers({
    endpoints: ['replicas:1'],
    connect: () => clientTo(address, files),
    lookUp: async () => ['10.0.0.1'],
    about: () => ({ ...ABOUT, replica: 'b', node: 'node-b', ...about }),
    ...{ onAsked: (outcome: AskedOutcome) => outcomes.push(outcome), onAway: () => undefined, nowMs: () => 0 },
  });
  const answers = await peers.ask(CANARY);
  peers.close();
  return { answers, outcomes };
}

test('monitors answer monitors, each for the node of its certificate', async (t) => {
  const authority = await makeAuthority(temporaryFolder());
  const files = await authority.issue({ name: 'inference-monitor', node: 'node-a' });
  const own = service({});
  const server = await listen(own, files);
  t.after(() => server.stop());

  const { answers, outcomes } = await asked(server.address, files);
  const [answer] = answers;
  assert.deepEqual(outcomes, ['answered']);
  assert.deepEqual([answer?.replica, answer?.node, answer?.gpus, answer?.repeatable], ['a', 'node-a', ['GPU-a'], true]);
  assert.deepEqual(
    [answer?.contradictions, answer?.sinceUs, answer?.weights, answer?.answer.tokens],
    [2, 7, ABOUT.weights, [5]],
  );
  assert.deepEqual((await asked(server.address, files, { configHash: 'ff', serverHash: 'ff' })).outcomes, [
    'not_comparable',
  ]);
  const withLibrary = { configHash: 'ff', serverHash: ABOUT.configHash };
  assert.deepEqual((await asked(server.address, files, withLibrary)).outcomes, ['answered'], 'the servers are alike');
  assert.deepEqual((await asked(server.address, files, { configHash: '' })).outcomes, [], 'nobody is comparable');
  assert.deepEqual((await asked(server.address, files, { replica: 'a' })).answers, [], 'itself');
  assert.deepEqual(own.outcomes, ['answered', 'not_comparable', 'answered', 'itself']);

  const impostor = service({ node: 'node-x' });
  const lies = await listen(impostor, files);
  t.after(() => lies.stop());
  assert.deepEqual((await asked(lies.address, files)).outcomes, ['refused'], 'it answers for another node');
  const agent = await authority.issue({ name: 'probe-agent', node: 'node-a' });
  assert.deepEqual((await asked(server.address, agent)).outcomes, ['refused'], 'an agent is no monitor');
  const masked = await listen(service({}), agent);
  t.after(() => masked.stop());
  assert.deepEqual((await asked(masked.address, files)).outcomes, ['away'], 'nor is its certificate that of one');
});

test('questions are checked and bounded', async (t) => {
  const authority = await makeAuthority(temporaryFolder());
  const files = await authority.issue({ name: 'inference-monitor' });
  const clock = { nowMs: 0 };
  const own = service({}, () => clock.nowMs);
  const server = await listen(own, files);
  const client = clientTo(server.address, files);
  t.after(async () => {
    client.close();
    await server.stop();
  });
  const ask = async (body: object, replica = 'b') => {
    const request = {
      question: { id: 1n, body },
      configHash: Buffer.from(ABOUT.configHash, 'hex'),
      serverHash: Buffer.alloc(0),
      model: '',
      replica,
    };
    try {
      return (await callUnary(client, client.askReplica, request as never)).answer?.failure ?? 'no answer';
    } catch (error) {
      const { code, field } = SentinelError.from(error);
      return `${code} ${field ?? ''}`.trim();
    }
  };
  const canary = (value: object) => ask({ $case: 'canary', value: { ...CANARY.value, ...value } });
  assert.equal(await canary({ prompt: 'x'.repeat(4097) }), 'INVALID_ARGUMENT question.canary.prompt');
  assert.equal(await canary({ maxTokens: 257 }), 'INVALID_ARGUMENT question.canary.max_tokens');
  assert.equal(await ask({ $case: 'weights', value: { worker: 4096 } }), 'INVALID_ARGUMENT question.weights.worker');
  assert.equal(
    await ask({ $case: 'block', value: { block: 1n, statistic: '' } }),
    'INVALID_ARGUMENT question.block.statistic',
  );
  for (let i = 0; i < 30; i += 1) assert.equal(await canary({}), '');
  assert.equal(await canary({}), 'RESOURCE_EXHAUSTED');
  assert.equal(await ask(CANARY, 'c'), '', 'another is not held for it');
  clock.nowMs = 60_000;
  assert.equal(await canary({}), '');
});

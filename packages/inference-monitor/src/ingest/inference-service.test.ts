import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Answer, WeightReport } from '@sentinel/contracts/sentinel/v1/inference.js';
import { Inbox } from '@sentinel/monitor-kit/ingest/inbox';
import { temporaryFolder, until } from '@sentinel/monitor-kit/testing/until';
import { startGrpcServer } from '@sentinel/service-kit/grpc-server';
import { silentLogger } from '@sentinel/service-kit/logging';
import type { Server } from '../grouping/server.js';
import { SenderClient } from '../testing/sender-client.js';
import { InferenceService } from './inference-service.js';
import type { InferenceRecord } from './record.js';

async function serving(context: TestContext) {
  const socket = join(temporaryFolder(), 's.sock');
  const records: { server: Server; record: InferenceRecord }[] = [];
  const state = { rate: 0.5, seen: 0, unread: 0, dropped: 0, refused: [] as string[] };
  const inbox = new Inbox(() => assert.fail('an analyser failed'));
  const service = new InferenceService({
    inbox,
    samplingRate: () => state.rate,
    onRecord: (server, record) => records.push({ server, record }),
    onCounted: ({ seen, unread, dropped }) => {
      state.seen += seen;
      state.unread += unread;
      state.dropped += dropped;
    },
    onRefused: (error) => state.refused.push(error.field),
    log: silentLogger(),
  });
  const server = await startGrpcServer({
    ...{ address: `unix:${socket}`, addressKey: 'k', tls: null, insecure: false, log: silentLogger() },
    ...{ tokens: { operator: '', service: '' }, services: [service.entry()], maxMessageBytes: 8_388_608 },
  });
  context.after(() => server.stop());
  return { socket, service, records, state };
}

test('records come in order with their server, are counted, and are answered', async (context) => {
  const { socket, records, state } = await serving(context);
  const sender = new SenderClient(socket);
  await sender.hello();
  for (let k = 0; k < 100; k += 1) await sender.sample({ completionTokens: k });
  const weights = { $case: 'weights', value: WeightReport.fromPartial({}) } as const;
  await sender.send(weights, { seen: 400n, unread: 2n, dropped: 3n });
  await sender.send(weights, { seen: 900n, unread: 2n, dropped: 3n });
  await until('all analysed', () => sender.analysed === 102n && sender.handled === 103n);
  const tokens = records.flatMap(({ record }) => (record.kind === 'sample' ? [record.sample.tokens] : []));
  assert.deepEqual(
    tokens,
    Array.from({ length: 100 }, (_, k) => k),
  );
  assert.equal(records[0]?.server.model, 'm');
  assert.deepEqual([state.seen, state.unread, state.dropped], [900, 2, 3]);
  sender.close();
  assert.equal(await sender.ended, null);
});

test('senders are told the sampling rate after each hello and when it changes', async (context) => {
  const { socket, service, state } = await serving(context);
  const sender = new SenderClient(socket);
  await sender.hello();
  await until('the first', () => sender.rates.length === 1);
  state.rate = 0.1;
  service.resample();
  await until('the second', () => sender.rates.length === 2);
  await sender.hello({ model: 'another' });
  await until('the third', () => sender.rates.length === 3);
  assert.deepEqual(sender.rates, [0.5, 0.1, 0.1]);
  assert.equal(service.senders[0]?.server.model, 'another');
  sender.close();
});

test('a sender can be asked, and its newest weights and request are known while it is there', async (context) => {
  const { socket, service } = await serving(context);
  const sender = new SenderClient(socket);
  await sender.hello();
  await sender.sample({ replay: { body: Buffer.from('{}'), path: '/v1/completions' } });
  await sender.send({ $case: 'weights', value: WeightReport.fromPartial({ algorithm: 'sum64', timeUs: 5n }) });
  await until('weights', () => service.senders[0]?.weights?.timeUs === 5);
  assert.equal(service.senders[0]?.replay?.path, '/v1/completions');
  const asked = service.senders[0]?.ask({ $case: 'weights', value: { worker: 1 } }, 10_000);
  const question = await until('a question', () => sender.questions[0]);
  assert.deepEqual(question.body, { $case: 'weights', value: { worker: 1 } });
  await sender.send({ $case: 'answer', value: Answer.fromPartial({ id: question.id, count: 7 }) });
  assert.equal((await asked)?.count, 7);
  await until('the answer handled', () => sender.handled === 4n);
  const late = service.senders[0]?.ask({ $case: 'weights', value: { worker: 1 } }, 10_000);
  sender.close();
  await assert.rejects(async () => late, { code: 'UNAVAILABLE' });
  await until('gone', () => service.senders.length === 0);
});

test('a stream that begins with anything but a hello, or says nonsense, is ended with the field', async (context) => {
  const { socket, state } = await serving(context);
  const rude = new SenderClient(socket);
  await rude.sample();
  assert.equal((await rude.ended)?.field, 'hello');
  const wrong = new SenderClient(socket);
  await wrong.hello();
  await wrong.sample({ kind: 0 });
  assert.equal((await wrong.ended)?.field, 'sample.kind');
  assert.deepEqual(state.refused, ['hello', 'sample.kind']);
});

test('an analyser that stops ends the streams so that senders come back', async (context) => {
  const { socket, service } = await serving(context);
  const sender = new SenderClient(socket);
  await sender.hello();
  await until('hello', () => service.senders.length === 1);
  service.close();
  assert.equal((await sender.ended)?.code, 'UNAVAILABLE');
});

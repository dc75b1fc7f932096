import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { RequestSample, ServerHello } from '@sentinel/contracts/sentinel/v1/inference.js';
import { temporaryFolder, until } from '@sentinel/monitor-kit/testing/until';
import { AnalyserStub } from '../../testing/analyser-stub.js';
import { zeroCounts } from '../counts.js';
import { MAX_WAITING } from './sample-queue.js';
import { SampleSender } from './sample-sender.js';

const sample = (model: string) => RequestSample.fromPartial({ model });

function sender() {
  const socket = join(temporaryFolder(), 's');
  const counts = zeroCounts();
  const rates: number[] = [];
  const said: string[] = [];
  const sending = new SampleSender({
    socket,
    hello: ServerHello.fromPartial({ replica: 'r' }),
    counts,
    onRate: (rate) => rates.push(rate),
    say: (_, text) => said.push(text),
  });
  after(() => sending.close());
  return { sending, socket, counts, rates, said };
}

test('an analyser that comes late gets hello, then what waited, each with its model', async () => {
  const { sending, socket, counts, said } = sender();
  const analyser = new AnalyserStub(socket);
  await until('a first try', () => said.length === 1);
  counts.requests = 5;
  sending.send(sample('m'));
  await analyser.start();
  after(() => analyser.stop());
  await until('the sample', () => analyser.of('sample').length === 1);
  assert.deepEqual(
    analyser.received.map(({ body }) => [body?.$case, (body?.value as { model: string } | undefined)?.model]),
    [
      ['hello', ''],
      ['sample', 'm'],
    ],
  );
  counts.requests = 12;
  sending.send(sample('m'));
  await until('the second', () => analyser.of('sample').length === 2);
  assert.equal(analyser.received.at(-1)?.seen, 7n);
});

test('the analyser says how much is sampled; that it was away is said once', async () => {
  const { sending, socket, rates, said } = sender();
  const analyser = new AnalyserStub(socket);
  await analyser.start();
  sending.send(sample('m'));
  await until('the sample', () => analyser.of('sample').length === 1);
  analyser.tellRate(0.25);
  await until('the rate', () => rates.length === 1);
  analyser.tellRate(7);
  said.length = 0;
  analyser.stop();
  await until('it is missed', () => said.length === 1);
  await analyser.start();
  after(() => analyser.stop());
  await until('it is back', () => said.length === 2);
  assert.deepEqual(rates, [0.25]);
  assert.match(said[0] ?? '', /takes no samples/);
  assert.match(said[1] ?? '', /takes samples again/);
});

test('without an analyser what finds no room is dropped and counted', () => {
  const { sending, counts } = sender();
  for (let k = 0; k < MAX_WAITING + 1_000; k += 1) sending.send(sample('m'));
  assert.equal(counts.dropped, 1_000);
});

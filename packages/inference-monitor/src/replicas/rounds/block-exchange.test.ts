import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BlockMean } from '../../analysers/cohort-chart.js';
import type { Asked } from '../talk/check-question.js';
import type { PeerAnswer } from '../talk/peers.js';
import { BlockExchange } from './block-exchange.js';

const peer = (replica: string, mean: number | null, count = 300): PeerAnswer => ({
  ...{ replica, node: replica, gpus: [], repeatable: false, contradictions: 0, sinceUs: 0, weights: '' },
  answer: { id: 1n, failure: '', digest: Buffer.alloc(0), values: mean === null ? [] : [mean], count, tokens: [] },
});

test('each block is exchanged once, for what this replica has a mean of; what is no number is left out', async () => {
  const asked: Asked[] = [];
  const taken: [string, number, readonly BlockMean[]][] = [];
  const means = {
    statistics: ['entropy of m', 'length of m', 'unknown of m'],
    newestBlock: (nowUs: number) => Math.floor(nowUs / 1000),
    blockMean: (statistic: string) => (statistic.startsWith('unknown') ? null : { mean: 1, requests: 200 }),
    setCohortMeans: (statistic: string, block: number, others: readonly BlockMean[]) =>
      void taken.push([statistic, block, others]),
  };
  const peers = {
    ask: async (body: Asked) => {
      asked.push(body);
      const isLength = body.$case === 'block' && body.value.statistic.startsWith('length');
      return isLength ? [peer('c', Number.NaN)] : [peer('b', 1.5), peer('c', null), peer('d', 2, 400)];
    },
  };
  const exchange = new BlockExchange(means, peers);
  assert.equal(exchange.due(7_000), 7);
  await exchange.run(7);
  assert.equal(exchange.due(7_999), null);
  assert.equal(exchange.due(8_000), 8);
  assert.deepEqual(
    asked.map((body) => (body.$case === 'block' ? [body.value.statistic, body.value.block] : [])),
    [
      ['entropy of m', 7n],
      ['length of m', 7n],
    ],
  );
  const others = [
    { mean: 1.5, requests: 300 },
    { mean: 2, requests: 400 },
  ];
  assert.deepEqual(taken, [['entropy of m', 7, others]]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../analysers/finding.js';
import type { ModelState } from '../analysers/model-analysis.js';
import { sampleOf, shortLimits } from '../analysers/testing/limits.js';
import { serverOf } from '../testing/server.js';
import { MAX_MODELS, type ModelKey, Models } from './models.js';
import type { Server } from './server.js';

const LIMITS = shortLimits();
const BLOCK_US = LIMITS.block_ewma.block_s * 1e6;

function models(kept = new Map<string, ModelState>()) {
  const found: { server: Server; finding: Finding }[] = [];
  const asked: ModelKey[] = [];
  const made = new Models({
    limits: LIMITS,
    restore: (key) => {
      asked.push(key);
      return kept.get(key.model);
    },
    onFinding: (server, finding) => found.push({ server, finding }),
  });
  return { made, found, asked };
}

test('each replica, model, configuration and kind of server is analysed by itself, and findings know whose they are', () => {
  const { made, found, asked } = models();
  made.take(serverOf(), sampleOf());
  made.take(serverOf({ configHash: 'bb' }), sampleOf());
  made.take(serverOf({ replica: 'r2' }), sampleOf());
  made.take(serverOf(), { ...sampleOf({ impossible: 1 }), model: 'adapter' });
  made.take(serverOf(), { ...sampleOf(), model: '' });
  assert.equal(made.size, 4);
  assert.deepEqual(
    asked.map(({ replica, model, configHash }) => `${replica} ${model} ${configHash}`),
    ['r m aa', 'r m bb', 'r2 m aa', 'r adapter aa'],
  );
  assert.deepEqual([found[0]?.server.model, found[0]?.finding.detector], ['adapter', 'nonfinite']);
});

test('block means have names that replicas exchange', () => {
  const { made } = models();
  for (let k = 0; k < 30; k += 1) made.take(serverOf(), sampleOf({ entropy: 2 }, 1));
  made.tick(2 * BLOCK_US);
  const name = 'entropy of m, vllm 0.32.0';
  assert.ok(made.statistics.includes(name) && made.statistics.includes('entropy distribution of m, vllm 0.32.0'));
  assert.deepEqual(made.blockMean(name, 0), { mean: 2, requests: 30 });
  assert.equal(made.blockMean('entropy of other, vllm 0.32.0', 0), null);
  made.changes();
  made.setCohortMeans(name, 0, [{ mean: 2.1, requests: 30 }]);
  assert.equal(made.changes()[0]?.state.statistics['entropy']?.mean.cohort.learnt.length, 1);
  assert.equal(made.newestBlock(2 * BLOCK_US + 11e6), 1);
  assert.equal(made.newestBlock(2 * BLOCK_US + 9e6), 0);
});

test('what changed is told once, and a model begins with what was kept of it', () => {
  const { made } = models();
  const weights = { timeUs: 1, algorithm: 'sum64', reloaded: false };
  const shard = { worker: 0, digest: 'aa', expected: '', differing: [] };
  made.weights(serverOf(), { ...weights, shards: [shard] });
  const [change] = made.changes();
  assert.deepEqual(change?.state.weights, { '0 sum64': 'aa' });
  assert.deepEqual(made.changes(), []);
  const next = models(new Map([['m', change?.state as ModelState]]));
  next.made.weights(serverOf(), { ...weights, shards: [{ ...shard, digest: 'ab' }] });
  assert.equal(next.found[0]?.finding.detector, 'weights');
});

test('there are no more models than there is room for, and blocks of those that made room stay counted', () => {
  const { made } = models();
  for (let k = 0; k <= MAX_MODELS; k += 1) {
    made.take(serverOf(), { ...sampleOf({}, 1), model: `m${k}` });
    made.take(serverOf(), { ...sampleOf({}, 2 * BLOCK_US), model: `m${k}` });
  }
  assert.equal(made.size, MAX_MODELS);
  assert.deepEqual(made.counts, { judged: 0, small: 4 * (MAX_MODELS + 1) });
});

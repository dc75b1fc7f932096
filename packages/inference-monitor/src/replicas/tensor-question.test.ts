import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Replay } from '@sentinel/contracts/sentinel/v1/inference.js';
import { TensorQuestion } from './tensor-question.js';
import { ModelLoads } from './upstream/model-loads.js';

const REPLAY = Replay.fromPartial({ path: '/v2/models/m/infer', body: Buffer.from('{}') });

function question(version: string, reloaded = false) {
  const paths: string[] = [];
  let reloads = 0;
  const made = new TensorQuestion(REPLAY, {
    ask: async ({ path }) => {
      paths.push(path);
      return { digest: 'd', tokens: [], values: [], version };
    },
    isReloaded: async () => reloaded,
    isPure: async (path) => path === '/v2/models/m/versions/2/infer',
    onReloaded: () => {
      reloads += 1;
    },
  });
  return { made, paths, reloads: () => reloads };
}

test('others are asked for the version that answered here, and so is this server from then on', async () => {
  const { made, paths } = question('2');
  assert.deepEqual([made.replay, made.subject], [null, '']);
  for (let k = 0; k < 2; k += 1) assert.equal((await made.ask()).digest, 'd');
  assert.deepEqual(paths, ['/v2/models/m/infer', '/v2/models/m/versions/2/infer']);
  assert.deepEqual([made.replay?.path, made.subject], [paths[1], paths[1]]);
  assert.equal(made.replay?.body, REPLAY.body);
  assert.equal(made.isPure, true);
  const other = question('1').made;
  await other.ask();
  assert.equal(other.isPure, false);
});

test('where no version is told, or one that is none, nobody else is asked', async () => {
  for (const version of ['', '../1', 'x'.repeat(65)]) {
    const { made } = question(version);
    await made.ask();
    assert.deepEqual([made.replay, made.subject], [null, ''], version);
  }
});

test('a version that was loaded anew is told', async () => {
  const { made, reloads } = question('1', true);
  await made.ask();
  assert.equal(reloads(), 1);
});

test('a version whose answers are counted from nought again was loaded anew', async () => {
  const counts: unknown[] = [5, 9, 2, 3, 'x', 1];
  const asked: string[] = [];
  const loads = new ModelLoads({
    look: async (path) => {
      asked.push(path);
      const count = counts.shift();
      return count === 'x' ? null : { model_stats: [{ name: 'm', version: '1', inference_count: count }] };
    },
  });
  const told: boolean[] = [];
  while (counts.length > 0) told.push(await loads.isReloaded('/v2/models/m/versions/1/infer'));
  assert.deepEqual(told, [false, false, true, false, false, true]);
  assert.deepEqual([...new Set(asked)], ['/v2/models/m/versions/1/stats']);
  assert.equal(await loads.isReloaded('/v2/models/m/infer'), false);
});

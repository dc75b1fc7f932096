import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type WeightShard, WeightWatch } from './weights.js';

const report = (shards: readonly Partial<WeightShard>[], reloaded = false) => ({
  ...{ timeUs: 1, algorithm: 'sum64', reloaded },
  shards: shards.map((shard, worker) => ({ worker, digest: 'aa', expected: '', differing: [], ...shard })),
});

test('weights that change while nothing was loaded are told once, with the worker', () => {
  const watch = new WeightWatch();
  assert.deepEqual(watch.take(report([{}, {}])), []);
  const [found] = watch.take(report([{}, { digest: 'ab' }]));
  assert.deepEqual([found?.severity, found?.workers, found?.type], ['CRITICAL', [1], 'INVARIANT_VIOLATION']);
  assert.deepEqual(watch.take(report([{}, { digest: 'ab' }])), []);
  found?.onUntold?.();
  assert.equal(watch.take(report([{}, { digest: 'ab' }])).length, 1, 'it could not be told');
  // Another change is another one; what is right again, and wrong again, too.
  assert.equal(watch.take(report([{}, { digest: 'ac' }])).length, 1);
  assert.deepEqual(watch.take(report([{}, {}])), []);
  assert.equal(watch.take(report([{}, { digest: 'ac' }])).length, 1);
});

test('weights that were loaded on purpose begin anew', () => {
  const watch = new WeightWatch();
  watch.take(report([{}]));
  assert.deepEqual(watch.take(report([{ digest: 'bb' }], true)), []);
  assert.equal(watch.take(report([{ digest: 'cc' }])).length, 1);
});

test('the manifest decides where there is one, and tensors are named', () => {
  const watch = new WeightWatch();
  const [found] = watch.take(report([{ expected: 'bb', differing: ['layers.3.mlp'] }]));
  assert.match(found?.detail ?? '', /not what their manifest says: layers\.3\.mlp$/);
  assert.deepEqual(watch.take(report([{ digest: 'bb', expected: 'bb' }])), []);
});

test('what was right is known after a restart; another algorithm is compared with nothing', () => {
  const before = new WeightWatch();
  before.take(report([{}]));
  const after = new WeightWatch(JSON.parse(JSON.stringify(before.state)));
  assert.deepEqual(after.take({ ...report([{ digest: 'zz' }]), algorithm: 'sha256' }), []);
  assert.equal(after.take(report([{ digest: 'ab' }])).length, 1);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { epochAt, INDEX_BLOCK, NO_INDICES, type SavedIndices, SeedIndices } from './seed-indices.js';

/** Indices on a disk that a restart reads again. */
class Disk {
  state: SavedIndices = NO_INDICES;
  writes = 0;
  open(): SeedIndices {
    return new SeedIndices(this.state, (state) => {
      this.state = state;
      this.writes += 1;
    });
  }
}

test('an epoch is ten seconds of wall time', () => {
  assert.equal(epochAt(1_700_000_009_999), 170_000_000);
  assert.equal(epochAt(1_700_000_010_000), 170_000_001);
});

test('no index is used twice in an epoch, whatever restarts and clock steps come between', () => {
  const action = fc.oneof(
    { weight: 6, arbitrary: fc.constant('take' as const) },
    { weight: 2, arbitrary: fc.constant('scheduled' as const) },
    { weight: 1, arbitrary: fc.constant('restart' as const) },
    { weight: 2, arbitrary: fc.integer({ min: -5, max: 5 }) },
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 300 }), (actions) => {
      const disk = new Disk();
      const used = new Set<string>();
      let indices = disk.open();
      let epoch = 100;
      for (const what of actions) {
        if (what === 'restart') indices = disk.open();
        else if (typeof what === 'number') epoch += what;
        else if (what === 'take' || indices.mayRunScheduled('fma32', epoch)) {
          const index = what === 'take' ? indices.next(epoch) : indices.scheduled('fma32', epoch);
          const seed = `${epoch}/${index}`;
          assert.ok(!used.has(seed), `${seed} was used before`);
          used.add(seed);
        }
      }
    }),
  );
});

test('a burst writes once per block', () => {
  const disk = new Disk();
  const indices = disk.open();
  for (let k = 1; k <= 3 * INDEX_BLOCK; k++) assert.equal(indices.next(5), k);
  assert.equal(disk.writes, 3);
});

test('scheduled runs use index 0 once per family and epoch', () => {
  const indices = new Disk().open();
  assert.equal(indices.scheduled('fma32', 5), 0);
  assert.equal(indices.mayRunScheduled('fma32', 5), false);
  assert.equal(indices.mayRunScheduled('int_aes', 5), true);
  assert.equal(indices.mayRunScheduled('fma32', 6), true);
});

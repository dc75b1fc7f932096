import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RunFlag, RunKind } from '../evidence/model/terms.js';
import { CLEAN_FLAGS, INT_AES, type RunSpec, repeat } from '../evidence/testing/batches.js';
import { DAY_US, deviceIdOf, Fleet, openOf } from './testing/fleet.js';

const ID = deviceIdOf('n1');
const LOUD = CLEAN_FLAGS | RunFlag.LOUD_FAULT;

/** Runs that say nothing for fma32 on SM 1: it did not run, or the run cannot be trusted, or it was another unit. */
const silent: fc.Arbitrary<RunSpec> = fc.constantFrom<RunSpec>(
  { ran: [] },
  { ran: [0, 2, 3] },
  { single: 1, ran: [] },
  { single: 2 },
  { family: INT_AES },
  { flags: LOUD },
  { flags: RunFlag.GOLDEN_AGREED },
  { flags: RunFlag.GOLDEN_INTACT, single: 1 },
);
const silence = fc.array(fc.record({ runs: silent, count: fc.constantFrom(1, 1500) }), { minLength: 1, maxLength: 6 });

test('a suspect is not cleared by what did not run, however long it lasts', () => {
  fc.assert(
    fc.property(silence, (batches) => {
      const fleet = new Fleet();
      fleet.hello('n1');
      fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
      const { id } = fleet.open(ID, 'burst');
      for (const { runs, count } of batches) {
        fleet.batch('n1', repeat(count, { ...runs, kind: RunKind.BURST, directive: id }));
        fleet.advance(4 * DAY_US);
      }
      fleet.advance(30 * DAY_US);
      assert.equal(fleet.device(ID).state, 'SUSPECT');
      assert.equal(fleet.device(ID).units[0]?.clean, 0);
    }),
    { numRuns: 60 },
  );
});

test('a quarantined device is not cleared by what did not run', () => {
  fc.assert(
    fc.property(silence, (batches) => {
      const fleet = new Fleet();
      fleet.quarantined('n1', { buildId: 'test-1', testBuild: true });
      fleet.hello('n1', { buildId: 'build-2' });
      const { id } = fleet.open(ID, 'deep-test');
      for (const { runs, count } of batches) {
        fleet.batch('n1', repeat(count, { ...runs, kind: RunKind.DEEP_TEST, directive: id }));
      }
      assert.notEqual(fleet.device(ID).state, 'HEALTHY');
      assert.equal(fleet.device(ID).units[0]?.deepTestClean, 0);
      assert.notEqual(openOf(fleet.device(ID), 'deep-test'), undefined);
    }),
    { numRuns: 60 },
  );
});

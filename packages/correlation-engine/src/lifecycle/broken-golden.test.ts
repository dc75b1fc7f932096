import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AGREEMENTS_NEEDED } from '../canary/broken-golden.js';
import { columns, GOLDEN, type RunSpec } from '../evidence/testing/batches.js';
import { deviceIdOf, eventNames, Fleet, SECOND_US } from './testing/fleet.js';

const WRONG = 0xdead;

/** The run of the shared seed of the present epoch, compared with this golden. */
function report(fleet: Fleet, node: string, golden = GOLDEN, run: RunSpec = {}) {
  const batch = columns(fleet.nowUs, deviceIdOf(node), [run]);
  const mismatches = batch.mismatches.map((mismatch) => ({ ...mismatch, expectedDigest: golden }));
  return fleet.commit({
    kind: 'batch',
    ...fleet.origin(node),
    batch: { ...batch, goldenDigest: [golden], mismatches },
  });
}

function fleetOf(...nodes: string[]): Fleet {
  const fleet = new Fleet();
  for (const node of nodes) fleet.hello(node);
  return fleet;
}

const NODES = ['a', 'b', 'c', 'x'];
const FAILS: RunSpec = { fails: [{ sm: 1 }] };

test('the mismatches of a node whose golden is outvoted are not believed, and its passes are no passes', () => {
  const fleet = fleetOf(...NODES);
  for (const node of ['a', 'b', 'c']) report(fleet, node);
  const first = report(fleet, 'x', WRONG, FAILS);
  assert.deepEqual(eventNames(first), ['golden_outvoted', 'mismatch']);
  assert.deepEqual([first.observations[0]?.counted, first.observations[0]?.heldBy], [false, 'integrity']);
  assert.equal(fleet.device(deviceIdOf('x')).state, 'HEALTHY');
  const [counted] = first.counters;
  assert.deepEqual([counted?.executions, counted?.failures, counted?.notRun], [1, 1, 3]);
  fleet.advance(10 * SECOND_US);
  const clean = report(fleet, 'x', WRONG);
  assert.deepEqual([clean.counters[0]?.executions, clean.counters[0]?.notRun], [0, 4]);
  assert.equal(fleet.device(deviceIdOf('x')).families[0]?.firstCleanUs, null, 'no clean member of its cohort');
  assert.equal(fleet.device(deviceIdOf('a')).families[0]?.firstCleanUs !== null, true);
});

test('a node that reported before there was a majority is found when there is one', () => {
  const fleet = fleetOf(...NODES);
  report(fleet, 'x', WRONG);
  report(fleet, 'a');
  report(fleet, 'b');
  assert.deepEqual(eventNames(report(fleet, 'c')), ['golden_outvoted']);
  assert.equal(fleet.node('x').brokenGoldens?.length, 1);
});

test('it is believed again once its golden agrees for some seeds in a row', () => {
  const fleet = fleetOf(...NODES);
  for (const node of ['a', 'b', 'c']) report(fleet, node);
  report(fleet, 'x', WRONG);
  for (let i = 1; i <= AGREEMENTS_NEEDED; i += 1) {
    assert.equal(fleet.node('x').brokenGoldens?.length, 1);
    fleet.advance(10 * SECOND_US);
    for (const node of ['a', 'b', 'c']) report(fleet, node);
    const last = report(fleet, 'x');
    assert.deepEqual(eventNames(last), i === AGREEMENTS_NEEDED ? ['golden_agrees_again'] : []);
  }
  assert.equal(report(fleet, 'x', GOLDEN, { ...FAILS, index: 1 }).observations[0]?.counted, true);
});

test('a wrong golden that everybody has outvotes nobody, and one family says nothing about another', () => {
  const fleet = fleetOf(...NODES);
  for (const node of NODES) assert.deepEqual(eventNames(report(fleet, node, WRONG)), []);
  const other = fleetOf(...NODES);
  for (const node of ['a', 'b', 'c']) report(other, node);
  report(other, 'x', WRONG);
  assert.equal(report(other, 'x', GOLDEN, { ...FAILS, family: 2 }).observations[0]?.counted, true);
});

test('what was compared is forgotten with a restart, which the log says', () => {
  const fleet = fleetOf(...NODES);
  for (const node of ['a', 'b', 'c']) report(fleet, node);
  fleet.commit({ kind: 'resumed' });
  assert.deepEqual(eventNames(report(fleet, 'x', WRONG)), []);
});

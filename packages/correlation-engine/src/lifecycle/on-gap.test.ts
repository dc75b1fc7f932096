import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviceIdOf, eventNames, Fleet } from './testing/fleet.js';

test('lost reports are recorded as lost, and say nothing about a device', () => {
  const fleet = new Fleet();
  fleet.hello('n1', { testBuild: true });
  const before = fleet.device(deviceIdOf('n1'));
  const lost = { runs: 9, executions: 36, mismatches: 2, firstTimeUs: 0, lastTimeUs: fleet.nowUs - 7 };
  const effects = fleet.commit({ kind: 'gap', ...fleet.origin('n1'), ...lost });
  assert.deepEqual(eventNames(effects), ['gap']);
  assert.deepEqual(effects.counters, []);
  assert.deepEqual([effects.outbox[0]?.injected, effects.outbox[0]?.eventUs], [true, fleet.nowUs - 7]);
  assert.equal(fleet.device(deviceIdOf('n1')), before);
});

test('event times of a node do not go back over a gap', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  const gap = (lastTimeUs: number) =>
    fleet.commit({
      kind: 'gap',
      ...fleet.origin('n1'),
      runs: 1,
      executions: 1,
      mismatches: 0,
      firstTimeUs: 0,
      lastTimeUs,
    });
  gap(fleet.nowUs - 10);
  assert.equal(gap(fleet.nowUs - 500).outbox[0]?.eventUs, fleet.nowUs - 10);
});

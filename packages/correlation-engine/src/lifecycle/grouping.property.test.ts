import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { begin, install } from '../evidence/draft.js';
import { emptyState, loadState, type SavedState, saveState } from '../evidence/state.js';
import { CONFIG, configWith } from '../evidence/testing/config.js';
import { apply } from './apply.js';
import { describe, deviceIdOf, Fleet } from './testing/fleet.js';
import { happen, NODES, story } from './testing/story.js';

const WITH_CANARIES = configWith({}, { tmr: { ...CONFIG.tmr, enabled: true, interval_seconds: 86_400 } });
const GROUPS = [1, 3, 2, 5, 1];

/** Nodes of one kind with two drivers, known in the order of their ids: rows are loaded in the opposite one. */
function fleetOfFour(): Fleet {
  const fleet = new Fleet();
  fleet.configure(WITH_CANARIES);
  for (const node of NODES)
    fleet.hello(node, { devices: [describe(deviceIdOf(node), { driverVersion: node === 'n4' ? '2' : '1' })] });
  return fleet;
}

function jsonOf(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

test('records decide the same however they are grouped into transactions, and after restarts that load rows in another order', () => {
  fc.assert(
    fc.property(story, (events) => {
      const fleet = fleetOfFour();
      for (const event of events) happen(fleet, event);
      let state = emptyState(CONFIG);
      let at = 0;
      for (let turn = 0; at < fleet.committed.length; turn += 1) {
        const draft = begin(state);
        const group = fleet.committed.slice(at, at + (GROUPS[turn % GROUPS.length] ?? 1));
        for (const { ctx, record, effects } of group)
          assert.deepEqual(jsonOf(apply(draft, ctx, record)), jsonOf(effects));
        install(draft);
        at += group.length;
        const { devices, nodes, exposure, ...rest } = jsonOf(saveState(state)) as SavedState;
        state = loadState({
          ...rest,
          devices: devices.toReversed(),
          nodes: nodes.toReversed(),
          exposure: exposure.toReversed(),
        });
      }
      assert.deepEqual(jsonOf(saveState(state)), fleet.saved());
    }),
    { numRuns: 60 },
  );
});

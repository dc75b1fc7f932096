import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { censusOf, cohortsOf, countDevice } from './census.js';
import { cohortKey } from './cohorts.js';
import { begin, devicesOf, editDevice, install, putDevice } from './draft.js';
import { FMA32 } from './testing/batches.js';
import { deviceWith, draftOf, familyWith, IDENTITY, unitWith } from './testing/device.js';

const KEY = familyWith().cohort;

test('clean = healthy, ran the family cleanly, and no evidence against it', () => {
  const draft = draftOf([
    deviceWith('clean', { node: 'n1' }),
    deviceWith('idle', { families: [familyWith({ firstCleanUs: null })] }),
    deviceWith('suspect', { state: 'SUSPECT' }),
    deviceWith('failing', { units: [unitWith({ unlocated: 1 })] }),
    deviceWith('cleared', { units: [unitWith({ counted: 0 })], node: 'n2' }),
    deviceWith('other', { families: [familyWith({ family: 2 })] }),
  ]);
  const census = censusOf(draft, KEY);
  assert.deepEqual([census.devices, census.cleanDevices, census.cleanNodes], [5, 2, 2]);
});

test('the index follows drafts before and after they are installed', () => {
  const draft = draftOf([deviceWith('a', { node: 'n1' }), deviceWith('b', { node: 'n1' })]);
  const { base } = draft;
  editDevice(draft, 'a').state = 'SUSPECT';
  assert.equal(censusOf(draft, KEY).cleanDevices, 1);
  assert.equal(censusOf(begin(base), KEY).cleanDevices, 2, 'the base is untouched');
  install(draft);
  assert.deepEqual([...(base.cohorts.get(KEY)?.cleanByNode ?? [])], [['n1', 1]]);
  const last = begin(base);
  editDevice(last, 'b').state = 'SUSPECT';
  install(last);
  assert.deepEqual([...(base.cohorts.get(KEY)?.cleanByNode ?? [])], []);
});

test('members are counted as a draft sees them, before it is installed', () => {
  const draft = draftOf([deviceWith('a'), deviceWith('b')]);
  editDevice(draft, 'a').units = [unitWith({ counted: 1 })];
  editDevice(draft, 'b').families = [familyWith({ cohort: cohortKey({ ...IDENTITY, driverVersion: '2' }, 1, 1) })];
  const seen = () => [...cohortsOf(draft, deviceWith('a'), FMA32)].sort().map((cohort) => censusOf(draft, cohort));
  const before = seen().map(({ devices, failingDevices }) => [devices, failingDevices]);
  install(draft);
  assert.deepEqual(before, [
    [1, 1],
    [1, 0],
  ]);
  const ofFamily = [...draft.base.cohorts.values()].filter(({ identity }) => identity.family === FMA32);
  const after = ofFamily.map(({ devices, failingDevices }) => [devices, failingDevices]);
  assert.deepEqual(after.sort().reverse(), before);
});

/** Changes that records make to one of a few devices. */
const edits = fc.record({
  device: fc.nat({ max: 4 }),
  state: fc.constantFrom('HEALTHY' as const, 'SUSPECT' as const),
  failing: fc.boolean(),
  node: fc.constantFrom('n1', 'n2', 'n3'),
  put: fc.boolean(),
});

test('after any records of any transactions the census is that of the devices as they are', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.array(edits, { maxLength: 3 }), { maxLength: 4 }), { maxLength: 4 }), (story) => {
      const { base } = draftOf(['d0', 'd1', 'd2'].map((id) => deviceWith(id, { node: 'n1' })));
      for (const transaction of story) {
        const draft = begin(base);
        for (const record of transaction) {
          draft.cohorts.settle(draft);
          for (const { device, state, failing, node, put } of record) {
            const id = `d${device}`;
            if (put || device > 2) putDevice(draft, deviceWith(id, { node }));
            Object.assign(editDevice(draft, id), { state, node, units: failing ? [unitWith({ counted: 1 })] : [] });
            const index = new Map();
            for (const known of devicesOf(draft)) countDevice(index, known, 1);
            const { identity: _, cleanByNode, ...counts } = index.get(KEY);
            assert.deepEqual(censusOf(draft, KEY), { ...counts, cleanNodes: cleanByNode.size });
          }
        }
        install(draft);
      }
    }),
  );
});

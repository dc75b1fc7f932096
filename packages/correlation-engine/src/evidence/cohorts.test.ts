import assert from 'node:assert/strict';
import { test } from 'node:test';
import { censusOf, cohortKey, cohortOf, cohortsOf, parseCohort, sizeOfCohort } from './cohorts.js';
import { begin, editDevice, install } from './draft.js';
import { deviceWith, draftOf, familyWith, IDENTITY, unitWith } from './testing/device.js';

const KEY = familyWith().cohort;

test('a cohort is one vendor, model, firmware, driver, CUDA, family and probe version', () => {
  const base = cohortKey(IDENTITY, 1, 1);
  const others = [
    cohortKey({ ...IDENTITY, vendor: 'x' }, 1, 1),
    cohortKey({ ...IDENTITY, model: 'x' }, 1, 1),
    cohortKey({ ...IDENTITY, driverVersion: 'x' }, 1, 1),
    cohortKey({ ...IDENTITY, vbiosVersion: 'x' }, 1, 1),
    cohortKey({ ...IDENTITY, cudaVersion: 'x' }, 1, 1),
    cohortKey(IDENTITY, 2, 1),
    cohortKey(IDENTITY, 1, 2),
  ];
  assert.equal(new Set([base, ...others]).size, 8);
  assert.notEqual(
    cohortKey({ ...IDENTITY, vendor: 'a"', model: 'b' }, 1, 1),
    cohortKey({ ...IDENTITY, vendor: 'a', model: '"b' }, 1, 1),
  );
  assert.equal(cohortOf(deviceWith('d'), 2), '', 'a family that was never announced has none');
  const gpu = { ...IDENTITY, vbiosVersion: '96.00', cudaVersion: '12.9' };
  assert.deepEqual(parseCohort(cohortKey(gpu, 8, 3)), { ...gpu, family: 8, probeVersion: 3 });
  assert.deepEqual(parseCohort(base), { ...IDENTITY, family: 1, probeVersion: 1 });
});

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
  assert.deepEqual(
    [census.devices, census.cleanDevices, [...census.cleanByNode]],
    [
      5,
      2,
      [
        ['n1', 1],
        ['n2', 1],
      ],
    ],
  );
});

test('the index follows drafts before and after they are installed', () => {
  const draft = draftOf([deviceWith('a', { node: 'n1' }), deviceWith('b', { node: 'n1' })]);
  const { base } = draft;
  editDevice(draft, 'a').state = 'SUSPECT';
  assert.equal(censusOf(draft, KEY).cleanDevices, 1);
  assert.equal(censusOf(begin(base), KEY).cleanDevices, 2, 'the base is untouched');
  install(draft);
  assert.deepEqual([...censusOf(begin(base), KEY).cleanByNode], [['n1', 1]]);
  const last = begin(base);
  editDevice(last, 'b').state = 'SUSPECT';
  install(last);
  assert.deepEqual([...censusOf(begin(base), KEY).cleanByNode], []);
});

test('members are counted as a draft sees them, before it is installed', () => {
  const draft = draftOf([deviceWith('a'), deviceWith('b')]);
  editDevice(draft, 'a').units = [unitWith({ counted: 1 })];
  editDevice(draft, 'b').families = [familyWith({ cohort: cohortKey({ ...IDENTITY, driverVersion: '2' }, 1, 1) })];
  const seen = () => [...cohortsOf(draft)].sort().map((cohort) => sizeOfCohort(draft, cohort));
  const before = seen().map(({ devices, failingDevices }) => [devices, failingDevices]);
  install(draft);
  assert.deepEqual(before, [
    [1, 1],
    [1, 0],
  ]);
  const after = [...draft.base.cohorts.values()].map(({ devices, failingDevices }) => [devices, failingDevices]);
  assert.deepEqual(after.sort().reverse(), before);
});

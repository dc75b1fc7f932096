import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mismatch } from '../testing/batches.js';
import { CONFIG } from '../testing/config.js';
import { localityGate } from './locality.js';

const answer = (siblingsRun: number, siblingsPassed: number, siblingsSameDigest: number, settings = CONFIG.gates) => {
  const { locality, verdict } = localityGate(
    mismatch({ sm: 0, siblingsRun, siblingsPassed, siblingsSameDigest }),
    settings,
    { failed: 1, sameDigest: 1 },
  );
  return `${locality} ${verdict}`;
};

// S = SMs that ran the seed, this one included. Software from max(2, min(3, S)) equal digests; a unit is accused from
// ceil((S - 1) / 2) and at least one passing sibling.
const cases: [string, [number, number, number], string][] = [
  ['S = 1: nobody to compare with', [0, 0, 0], 'unlocated NOT_EVALUABLE'],
  ['S = 2, the other passes', [1, 1, 0], 'unit PASS'],
  ['S = 2, the other fails alike', [1, 0, 1], 'software HOLD'],
  ['S = 2, the other fails differently', [1, 0, 0], 'device PASS'],
  ['S = 3, two alike are not yet three', [2, 1, 1], 'unit PASS'],
  ['S = 3, all alike', [2, 0, 2], 'software HOLD'],
  ['S = 4, three alike', [3, 1, 2], 'software HOLD'],
  ['S = 4, one sibling is too few', [3, 1, 0], 'device PASS'],
  ['S = 132, half of the siblings pass', [131, 66, 0], 'unit PASS'],
  ['S = 132, one less', [131, 65, 0], 'device PASS'],
  ['S = 132, three alike are software even if all others pass', [131, 129, 2], 'software HOLD'],
];
for (const [name, siblings, expected] of cases) {
  test(name, () => assert.equal(answer(...siblings), expected));
}

test('failures of the same run outweigh what the agent counted', () => {
  const claim = mismatch({ sm: 0, siblingsRun: 7, siblingsPassed: 7, siblingsSameDigest: 0 });
  const locality = (failed: number, sameDigest: number) =>
    localityGate(claim, CONFIG.gates, { failed, sameDigest }).locality;
  assert.equal(locality(4, 3), 'software');
  assert.equal(locality(4, 1), 'unit');
  assert.equal(locality(5, 1), 'device');
  assert.equal(locality(9, 1), 'device');
});

test('the reason says how many gave the same wrong digest', () => {
  const reason = (siblings: number, passed: number, same: number) => {
    const of = mismatch({ sm: 0, siblingsRun: siblings, siblingsPassed: passed, siblingsSameDigest: same });
    return localityGate(of, CONFIG.gates, { failed: 1, sameDigest: 1 }).reason;
  };
  const accused = 'the device is accused, no single SM.';
  assert.equal(
    reason(3, 1, 1),
    `Only 1 of 3 other SMs passed the same seed, and 2 SMs gave this wrong digest, fewer than the 3 that mean software: ${accused}`,
  );
  assert.equal(
    reason(3, 1, 0),
    `Only 1 of 3 other SMs passed the same seed, and no other gave this wrong digest: ${accused}`,
  );
});

test('settings move both limits', () => {
  assert.equal(answer(3, 1, 1), 'device PASS');
  assert.equal(answer(3, 1, 1, { ...CONFIG.gates, locality_passing_fraction: 0 }), 'unit PASS');
  assert.equal(answer(3, 2, 1, { ...CONFIG.gates, locality_same_digest: 1 }), 'software HOLD');
});

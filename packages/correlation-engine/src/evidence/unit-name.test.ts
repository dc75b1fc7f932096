import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unitName } from './unit-name.js';

test('an SM is named where it failed itself', () => {
  assert.equal(unitName({ family: 8, sm: 0 }), 'tc_fp16 on SM 0');
  assert.equal(unitName({ family: 8, sm: 0, ofWholeDevice: true }), 'tc_fp16 on the device as a whole');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExplainDecisionResponse } from '@sentinel/contracts/sentinel/v1/health.js';
import { jsonText, toJson } from './json.js';
import { explainSample, observationSample } from './testing/samples.js';
import { mismatchOf } from './views/index.js';

test('what is printed reads back as the message it was', () => {
  const printed = JSON.stringify(toJson(explainSample()));
  const read = ExplainDecisionResponse.fromJSON(JSON.parse(printed));
  assert.deepEqual(
    ExplainDecisionResponse.encode(read).finish(),
    ExplainDecisionResponse.encode(explainSample()).finish(),
  );
});

test('enumerations by name, bytes as base64, absent as null, integers as numbers while they are exact', () => {
  const found = toJson({ ...observationSample(), a: 2n ** 53n - 1n, b: 2n ** 53n + 1n, c: undefined }) as Record<
    string,
    unknown
  >;
  assert.equal(found.family, 'PROBE_FAMILY_FMA32');
  assert.equal(found.kind, 'RUN_KIND_SCHEDULED');
  assert.equal(found.spoolId, 'MDEyMzQ1Njc4OWFiY2RlZg==');
  assert.deepEqual([found.a, found.b, found.c], [2 ** 53 - 1, '9007199254740993', null]);
  assert.deepEqual(toJson({ decoded: { kind: 6 }, kind: 'burst' }), { decoded: { kind: 6 }, kind: 'burst' });
});

test('a mismatch is the line that recompute_mismatch.py reads', () => {
  assert.deepEqual(mismatchOf(observationSample()), {
    family: 'fma32',
    epoch: 179_554_881,
    index: 0,
    lane: 6,
    iteration: 9,
    operands: [0xbf1cb59b, 0xc7242f87, 0x4688bef4],
    expected: [0xbbcf2f9e, 0x00007446],
    actual: [0xbbcf2f9e, 0x00007546],
    differing_bits: [0, 0x100],
  });
});

test('no control character reaches the terminal, and all of them can be read back', () => {
  const all = Array.from({ length: 0xa1 }, (_, i) => String.fromCharCode(i)).join('');
  assert.doesNotMatch(jsonText({ all }), /\p{Cc}/u);
  assert.deepEqual(JSON.parse(jsonText({ all })), { all });
});

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { SentinelError } from '@sentinel/service-kit/errors';
import { temporaryFolder } from '@sentinel/test-kit';
import { vouchedBy } from './cohort-manifest.js';
import { cohortKey } from './evidence/cohorts.js';
import { ManifestSigner } from './testing/manifest.js';

const operator = new ManifestSigner();
const stranger = new ManifestSigner();
const keys = { ops: operator.publicKey };

const NOW_US = Date.parse('2026-06-01T12:00:00Z') * 1000;
const COHORT = {
  vendor: 'NVIDIA',
  model: 'NVIDIA H100',
  driver_version: '535',
  vbios_version: '96.00',
  cuda_version: '12.2',
  probe_version: 2,
  families: ['tc_fp16', 'fma32'],
};

function signed(
  payload: string,
  { by = operator, ...more }: { by?: ManifestSigner; keyId?: string; domain?: string } = {},
) {
  return by.sign(payload, more);
}

test('the cohorts that an operator signed are those of devices that say the same of themselves', async () => {
  await using folder = await temporaryFolder();
  const file = folder.join('cohorts.json');
  writeFileSync(file, signed(JSON.stringify({ cohorts: [COHORT, COHORT] })));
  const gpu = {
    vendor: 'NVIDIA',
    model: 'NVIDIA H100',
    driverVersion: '535',
    vbiosVersion: '96.00',
    cudaVersion: '12.2',
  };
  assert.deepEqual(vouchedBy({ file, keys }, NOW_US).cohorts, [cohortKey(gpu, 1, 2), cohortKey(gpu, 8, 2)].sort());
  assert.deepEqual(vouchedBy({ file: '', keys }, NOW_US), { cohorts: [], untilUs: null });
});

test('what is signed for a while holds until then', async () => {
  await using folder = await temporaryFolder();
  const file = folder.join('cohorts.json');
  writeFileSync(file, signed(JSON.stringify({ expires: '2026-06-01T14:00:01+02:00', cohorts: [COHORT] })));
  assert.equal(vouchedBy({ file, keys }, NOW_US).untilUs, NOW_US + 1_000_000);
});

test('nothing of a file that is not what a known key signed is believed', async () => {
  await using folder = await temporaryFolder();
  const file = folder.join('cohorts.json');
  const payload = JSON.stringify({ cohorts: [COHORT] });
  const bad: [RegExp, string][] = [
    [/no key of cohort_manifest\.keys/, signed(payload, { keyId: 'other' })],
    [/no key of cohort_manifest\.keys/, signed(payload, { keyId: 'constructor' })],
    [/was changed after the key ops signed it, or signed by another$/, signed(payload, { by: stranger })],
    [/was changed after the key ops signed it, or signed by another$/, signed(payload, { domain: '' })],
    [/was changed after the key ops signed it, or signed by another$/, signed(payload).replace('H100', 'H200')],
    [/is no JSON$/, 'x'],
    [/is no JSON object/, '[]'],
    [/has no payload/, '{}'],
    [/lists no cohorts/, signed('{}')],
    [/without vendor/, signed('{"cohorts":[{}]}')],
    [/does not exist: "fma31"/, signed(JSON.stringify({ cohorts: [{ ...COHORT, families: ['fma31'] }] }))],
    [
      /expired at 2026-06-01T12:00:00Z$/,
      signed(JSON.stringify({ cohorts: [COHORT], expires: '2026-06-01T12:00:00Z' })),
    ],
    [/which is no time/, signed(JSON.stringify({ cohorts: [COHORT], expires: '2027-01-01' }))],
    [/which is no time/, signed(JSON.stringify({ cohorts: [COHORT], expires: 7 }))],
    [/without families/, signed(JSON.stringify({ cohorts: [{ ...COHORT, probe_version: 1.5 }] }))],
  ];
  for (const [message, text] of bad) {
    writeFileSync(file, text);
    assert.throws(
      () => vouchedBy({ file, keys }, NOW_US),
      (error) =>
        error instanceof SentinelError &&
        error.code === 'FAILED_PRECONDITION' &&
        message.test(error.message.replace(`the manifest of cohorts ${file} `, '')),
      text,
    );
  }
  assert.throws(() => vouchedBy({ file: folder.join('none'), keys }, NOW_US), /cannot be read/);
});

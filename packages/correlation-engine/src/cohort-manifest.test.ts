import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { SentinelError } from '@sentinel/service-kit/errors';
import { temporaryFolder } from '@sentinel/test-kit';
import { vouchedCohorts } from './cohort-manifest.js';
import { cohortKey } from './evidence/cohorts.js';

const operator = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ed25519');
const keys = { ops: Buffer.from(operator.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64') };

const COHORT = {
  vendor: 'NVIDIA',
  model: 'NVIDIA H100',
  driver_version: '535',
  vbios_version: '96.00',
  cuda_version: '12.2',
  probe_version: 2,
  families: ['tc_fp16', 'fma32'],
};

function signed(payload: string, { keyId = 'ops', by = operator, domain = 'sentinel-cohorts-v1\n' } = {}): string {
  const signature = sign(null, Buffer.from(domain + payload), by.privateKey).toString('base64');
  return JSON.stringify({ payload, key_id: keyId, signature });
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
  assert.deepEqual(vouchedCohorts({ file, keys }), [cohortKey(gpu, 1, 2), cohortKey(gpu, 8, 2)].sort());
  assert.deepEqual(vouchedCohorts({ file: '', keys }), []);
});

test('nothing of a file that is not what a known key signed is believed', async () => {
  await using folder = await temporaryFolder();
  const file = folder.join('cohorts.json');
  const payload = JSON.stringify({ cohorts: [COHORT] });
  const bad: [RegExp, string][] = [
    [/no key of cohort_manifest\.keys/, signed(payload, { keyId: 'other' })],
    [/no key of cohort_manifest\.keys/, signed(payload, { keyId: 'constructor' })],
    [/is not what the key ops signed/, signed(payload, { by: stranger })],
    [/is not what the key ops signed/, signed(payload, { domain: '' })],
    [/is not what the key ops signed/, signed(payload).replace('H100', 'H200')],
    [/is no JSON$/, 'x'],
    [/is no JSON object/, '[]'],
    [/has no payload/, '{}'],
    [/lists no cohorts/, signed('{}')],
    [/without vendor/, signed('{"cohorts":[{}]}')],
    [/does not exist: "fma31"/, signed(JSON.stringify({ cohorts: [{ ...COHORT, families: ['fma31'] }] }))],
    [/without families/, signed(JSON.stringify({ cohorts: [{ ...COHORT, probe_version: 1.5 }] }))],
  ];
  for (const [message, text] of bad) {
    writeFileSync(file, text);
    assert.throws(
      () => vouchedCohorts({ file, keys }),
      (error) => error instanceof SentinelError && error.code === 'FAILED_PRECONDITION' && message.test(error.message),
      text,
    );
  }
  assert.throws(() => vouchedCohorts({ file: folder.join('none'), keys }), /cannot be read/);
});

import assert from 'node:assert/strict';
import { createCipheriv, createHash } from 'node:crypto';
import { test } from 'node:test';
import { families, testProbes } from './addons.mjs';

const VECTORS = 10_000_000;

const words = (hex) => new Uint32Array(new Uint8Array(Buffer.from(hex, 'hex')).buffer);
const hex = (value) => Buffer.from(value.buffer).toString('hex');

for (const family of ['fma32', 'fma64']) {
  test(`${family}: software arithmetic equals the CPU on ten million vectors of the eight classes`, () => {
    assert.ok(families.includes(family));
    const report = testProbes.exactness({ family, vectors: VECTORS, epoch: 20_000 });
    assert.equal(report.vectors, VECTORS);
    assert.deepEqual({ mismatches: report.mismatches, first: report.first }, { mismatches: 0, first: null });
  });
}

for (const family of ['fma16', 'bf16']) {
  test(`${family}: software arithmetic equals big integers on a million vectors of the eight classes`, () => {
    const report = testProbes.exactness({ family, vectors: 1_000_000, epoch: 20_000 });
    assert.equal(report.vectors, 1_000_000);
    assert.deepEqual({ mismatches: report.mismatches, first: report.first }, { mismatches: 0, first: null });
  });
}

// FIPS 197, appendices B and C.1.
const FIPS_197 = [
  {
    key: '2b7e151628aed2a6abf7158809cf4f3c',
    block: '3243f6a8885a308d313198a2e0370734',
    cipher: '3925841d02dc09fbdc118597196a0b32',
  },
  {
    key: '000102030405060708090a0b0c0d0e0f',
    block: '00112233445566778899aabbccddeeff',
    cipher: '69c4e0d86a7b0430d8cdb78070b4c55a',
  },
];

function checkAes({ key, block, cipher }) {
  const out = testProbes.aes({ key: words(key), block: words(block) });
  assert.equal(hex(out.encrypted), cipher);
  assert.equal(hex(out.hardwareEncrypted), cipher);
  assert.equal(hex(out.decrypted), block);
  assert.equal(hex(out.hardwareDecrypted), block);
}

test('AES-128 in software and hardware gives the vectors of FIPS 197', () => {
  for (const vector of FIPS_197) checkAes(vector);
});

test('AES-128 in software and hardware equals OpenSSL on 1,000 keys and blocks', () => {
  for (let k = 0; k < 1_000; k++) {
    const bytes = createHash('sha256').update(`aes ${k}`).digest();
    const key = bytes.subarray(0, 16);
    const block = bytes.subarray(16);
    const cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(block);
    checkAes({ key: key.toString('hex'), block: block.toString('hex'), cipher: cipher.toString('hex') });
  }
});

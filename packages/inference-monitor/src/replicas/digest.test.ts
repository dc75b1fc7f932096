import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { digestOf, hashBy, textNumber } from './digest.js';

test('xxHash and SHA-256 of known texts', async () => {
  assert.equal((await hashBy('xxhash'))(Buffer.from('')), 'ef46db3751d8e999');
  assert.equal((await hashBy('xxhash'))(Buffer.from('a')), 'd24ec4f1a98c6e5b');
  assert.match((await hashBy('sha256'))(Buffer.from('abc')), /^ba7816bf8f01cfea/);
  assert.equal(textNumber('a'), 0xe40c292c);
});

test('one bit of one value, another token, or another place of it give another digest', async () => {
  const hash = await hashBy('xxhash');
  const float = fc.double({ noNaN: true });
  fc.assert(
    fc.property(
      fc.array(fc.nat(), { minLength: 1 }),
      fc.array(float, { minLength: 1 }),
      fc.nat(),
      (tokens, values, at) => {
        const base = digestOf(hash, { tokens, values });
        assert.equal(digestOf(hash, { tokens: [...tokens], values: [...values] }), base);
        const bits = new DataView(new ArrayBuffer(8));
        const i = at % values.length;
        bits.setFloat64(0, values[i] ?? 0);
        bits.setUint8(7, bits.getUint8(7) ^ 1);
        const flipped = bits.getFloat64(0);
        if (!Number.isNaN(flipped)) assert.notEqual(digestOf(hash, { tokens, values: values.with(i, flipped) }), base);
        assert.notEqual(digestOf(hash, { tokens: tokens.with(0, (tokens[0] ?? 0) + 1), values }), base);
        assert.notEqual(digestOf(hash, { tokens: tokens.slice(1), values }), base);
      },
    ),
  );
  const tensor = { tokens: [], values: [] };
  assert.notEqual(digestOf(hash, { ...tensor, outputs: Buffer.from('a') }), digestOf(hash, tensor));
});

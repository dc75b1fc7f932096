import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeLeaf, encodeLeaf, type Leaf, type LeafType, MalformedLeafError } from './leaf.js';

const bytes = (length: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((each) => Buffer.from(each));
const lp8 = fc
  .string({ unit: 'grapheme', maxLength: 60 })
  .filter((text) => Buffer.byteLength(text) <= 255 && text.isWellFormed());

export const anyLeaf: fc.Arbitrary<Leaf> = fc.record(
  {
    type: fc.integer({ min: 1, max: 7 }) as fc.Arbitrary<LeafType>,
    injected: fc.boolean(),
    seq: fc.maxSafeNat(),
    receivedUs: fc.maxSafeNat(),
    eventUs: fc.maxSafeNat(),
    eventId: bytes(16),
    producer: lp8,
    gpu: lp8,
    detailLength: fc.nat(0xffffffff),
    detailCommit: bytes(32),
    prev: bytes(32),
  },
  { noNullPrototype: true },
);

describe('leaf', () => {
  it('comes back as it was written', () => {
    fc.assert(fc.property(anyLeaf, (leaf) => assert.deepEqual(decodeLeaf(encodeLeaf(leaf)), leaf)));
  });

  it('has one encoding: whatever decodes, encodes to the same bytes', () => {
    fc.assert(
      fc.property(anyLeaf, fc.nat(), fc.integer({ min: 1, max: 255 }), (leaf, place, flip) => {
        const mutated = encodeLeaf(leaf);
        mutated[place % mutated.length] = (mutated[place % mutated.length] ?? 0) ^ flip;
        try {
          assert.deepEqual(encodeLeaf(decodeLeaf(mutated)), mutated);
        } catch (error) {
          assert.ok(error instanceof MalformedLeafError);
        }
      }),
    );
  });

  it('is refused when cut or extended', () => {
    fc.assert(
      fc.property(anyLeaf, fc.nat(), (leaf, place) => {
        const whole = encodeLeaf(leaf);
        assert.throws(() => decodeLeaf(whole.subarray(0, place % whole.length)), MalformedLeafError);
        assert.throws(() => decodeLeaf(Buffer.concat([whole, Buffer.alloc(1)])), MalformedLeafError);
      }),
    );
  });

  it('knows only version 1, seven types and two flags of which salt is always set', () => {
    const leaf = encodeLeaf(fc.sample(anyLeaf, 1)[0] as Leaf);
    const withByte = (at: number, value: number): Buffer => {
      const copy = Buffer.from(leaf);
      copy[at] = value;
      return copy;
    };
    assert.throws(() => decodeLeaf(withByte(0, 2)), /version 2/);
    assert.throws(() => decodeLeaf(withByte(1, 0)), /type 0/);
    assert.throws(() => decodeLeaf(withByte(1, 8)), /type 8/);
    assert.throws(() => decodeLeaf(withByte(3, 0)), /flags/);
    assert.throws(() => decodeLeaf(withByte(3, 5)), /flags/);
    assert.throws(() => decodeLeaf(withByte(2, 1)), /flags/);
    assert.equal(decodeLeaf(withByte(3, 3)).injected, true);
  });
});

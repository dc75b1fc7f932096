import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { tileSourceOf } from '../testing/tile-tree.js';
import { NodeReader } from '../tiles/node-reader.js';
import { Frontier } from './frontier.js';
import { digestOf, leafHash } from './hash.js';
import { merkleTreeHash } from './mth.js';
import { verifyConsistency, verifyInclusion } from './verify.js';

const MAX_SIZE = 700;
const leaves = Array.from({ length: MAX_SIZE }, (_, i) => Buffer.from(`entry ${i}`));
const hashes = leaves.map(leafHash);
const rootOf = (size: number): Uint8Array => merkleTreeHash(hashes.slice(0, size));
const sizes = fc.integer({ min: 1, max: MAX_SIZE });

function flipped(hash: Uint8Array, bit: number): Buffer {
  const copy = Buffer.from(hash);
  const at = (bit >> 3) % copy.length;
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

describe('frontier', () => {
  it('gives the root of the definition at every size, also restored from its subtrees', async () => {
    const frontier = new Frontier();
    for (const [i, hash] of hashes.entries()) {
      frontier.append(digestOf(hash));
      assert.deepEqual(frontier.root(), Buffer.from(rootOf(i + 1)));
    }
    await fc.assert(
      fc.asyncProperty(sizes, async (size) => {
        const subtrees = await new NodeReader(tileSourceOf(hashes.slice(0, size)), size).subtrees(size);
        const restored = Frontier.fromSubtrees(subtrees);
        for (const hash of hashes.slice(size)) restored.append(digestOf(hash));
        assert.deepEqual(restored.root(), frontier.root());
        assert.equal(restored.size, MAX_SIZE);
      }),
      { numRuns: 20 },
    );
  });

  it('leaves the original alone when a clone grows', () => {
    const frontier = new Frontier();
    hashes.slice(0, 5).forEach((hash) => frontier.append(digestOf(hash)));
    const before = frontier.root();
    const clone = frontier.clone();
    hashes.slice(5).forEach((hash) => clone.append(digestOf(hash)));
    assert.equal(clone.size, MAX_SIZE);
    assert.deepEqual(frontier.root(), before);
  });
});

describe('proofs', () => {
  it('verify, and do not once any one bit of them is flipped', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), fc.nat(), async (size, pick, bit) => {
        const index = pick % size;
        const head = { size, root: rootOf(size) };
        const proof = await new NodeReader(tileSourceOf(hashes.slice(0, size)), size).inclusionProof(index, size);
        const leaf = leaves[index] as Buffer;
        assert.ok(verifyInclusion(leaf, index, head, proof));
        const broken = proof.map((hash, i) => (i === bit % proof.length ? flipped(hash, pick) : hash));
        if (proof.length > 0) assert.ok(!verifyInclusion(leaf, index, head, broken));
        assert.ok(!verifyInclusion(Buffer.concat([leaf, leaf]), index, head, proof));
        assert.ok(!verifyInclusion(leaf, index, { size, root: flipped(head.root, bit) }, proof));
      }),
    );
  });

  it('of consistency verify for every pair, and for no other old root', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, sizes, fc.nat(), async (a, b, bit) => {
        const [from, to] = a <= b ? [a, b] : [b, a];
        const proof = await new NodeReader(tileSourceOf(hashes.slice(0, to)), to).consistencyProof(from, to);
        const [older, newer] = [
          { size: from, root: rootOf(from) },
          { size: to, root: rootOf(to) },
        ];
        assert.ok(verifyConsistency(older, newer, proof));
        assert.ok(!verifyConsistency({ size: from, root: flipped(older.root, bit) }, newer, proof));
        assert.ok(!verifyConsistency(older, { size: to, root: flipped(newer.root, bit) }, proof));
        const broken = proof.map((hash, i) => (i === bit % proof.length ? flipped(hash, bit) : hash));
        if (proof.length > 0) assert.ok(!verifyConsistency(older, newer, broken));
      }),
    );
  });
});

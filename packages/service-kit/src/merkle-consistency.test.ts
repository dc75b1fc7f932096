import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, it } from 'node:test';
import { verifyConsistency } from './merkle-consistency.js';
import { consistencyProof, merkleRoot } from './testing/merkle.js';

const LARGEST = 19;
const leaves = Array.from({ length: LARGEST }, (_, i) => hash('sha256', `leaf ${i}`, 'buffer'));
const head = (size: number) => ({ size, root: merkleRoot(leaves.slice(0, size)) });

describe('consistency', () => {
  it('holds between any two sizes of one log', () => {
    for (let to = 0; to <= LARGEST; to += 1)
      for (let from = 0; from <= to; from += 1)
        assert.ok(
          verifyConsistency(head(from), head(to), consistencyProof(leaves.slice(0, to), from)),
          `${from} ${to}`,
        );
  });

  it('does not hold for another prefix, another proof, or backwards', () => {
    const other = { size: 7, root: merkleRoot(leaves.slice(1, 8)) };
    const proof = consistencyProof(leaves, 7);
    assert.ok(!verifyConsistency(other, head(LARGEST), proof));
    assert.ok(!verifyConsistency(head(LARGEST), head(7), proof));
    for (let i = 0; i < proof.length; i += 1) {
      const altered = proof.map((each, at) => (at === i ? hash('sha256', each, 'buffer') : each));
      assert.ok(!verifyConsistency(head(7), head(LARGEST), altered));
      assert.ok(!verifyConsistency(head(7), head(LARGEST), proof.toSpliced(i, 1)));
    }
    assert.ok(!verifyConsistency({ size: 5, root: other.root }, { size: 5, root: head(5).root }, []));
  });
});

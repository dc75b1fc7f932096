import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, it } from 'node:test';
import { consistencyProof, merkleRoot } from '@sentinel/service-kit/testing/merkle';
import { canonicalJson } from './canonical-json.js';
import { checkGrowth, InconsistentLedgerError, readCheckpoint } from './checkpoint.js';

describe('canonical JSON', () => {
  it('sorts members by UTF-16 code units and leaves no room', () => {
    assert.equal(
      canonicalJson({ b: [1, { d: null, c: 'é' }], a: true, ﬁ: 1, '😀': 2 }),
      '{"a":true,"b":[1,{"c":"é","d":null}],"😀":2,"ﬁ":1}',
    );
  });
  it('prints numbers as ECMAScript does', () => {
    assert.equal(canonicalJson([1e21, 0.1, -0, 1_700_000_000_000_000]), '[1e+21,0.1,0,1700000000000000]');
  });
});

describe('checkpoints', () => {
  const head = (size: number, root = 'AAAA', origin = 'o') =>
    readCheckpoint(`${origin}\n${size}\n${root}\n\n— o sig\n`);
  it('are read by their first three lines', () => {
    assert.deepEqual(head(7), { origin: 'o', size: 7, root: 'AAAA' });
    assert.equal(readCheckpoint(''), null);
    for (const note of ['o\n-1\nAA\n', 'o\n01\nAA\n', '\n1\nAA\n', 'o\n1\n'])
      assert.throws(() => readCheckpoint(note), { code: 'DATA_LOSS' });
  });
  it('may only grow, and must prove it', async () => {
    const leaves = Array.from({ length: 9 }, (_, i) => hash('sha256', `leaf ${i}`, 'buffer'));
    const note = (size: number, of = leaves, origin = 'o') =>
      `${origin}\n${size}\n${Buffer.from(merkleRoot(of.slice(0, size))).toString('base64')}\n\n— o sig\n`;
    const prove = (oldSize: number, newSize: number) =>
      Promise.resolve(consistencyProof(leaves.slice(0, newSize), oldSize));
    const forked = leaves.with(2, hash('sha256', 'another', 'buffer'));
    await checkGrowth('', note(1), prove);
    await checkGrowth(note(5), note(5), prove);
    await checkGrowth(note(5), note(9), prove);
    for (const [first, second, what] of [
      [note(5), note(4), /has 4 entries now; it had 5/],
      [note(5), note(5, forked), /another content/],
      [note(5, forked), note(9), /cannot prove that its 9 entries begin with the 5 it had/],
      [note(5), note(6, leaves, 'p'), /is p now/],
      [note(5), '', /no checkpoint/],
    ] as const) {
      const found = await checkGrowth(first, second, prove).catch((error: unknown) => error);
      assert.ok(found instanceof InconsistentLedgerError && what.test(found.message), String(found));
      assert.deepEqual([found.first, found.second], [first, second]);
    }
  });
});

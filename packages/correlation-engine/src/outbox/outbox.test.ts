import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { canonicalJson } from './canonical-json.js';
import { checkGrowth, readCheckpoint } from './checkpoint.js';

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
  it('may only grow', () => {
    assert.doesNotThrow(() => checkGrowth(null, head(1)));
    assert.doesNotThrow(() => checkGrowth(head(5), head(6, 'BBBB')));
    assert.throws(() => checkGrowth(head(5), head(4)), /has 4 entries now; it had 5/);
    assert.throws(() => checkGrowth(head(5), head(5, 'BBBB')), /another content/);
    assert.throws(() => checkGrowth(head(5), head(6, 'AAAA', 'p')), /is p now/);
    assert.throws(() => checkGrowth(head(5), null), /no checkpoint/);
  });
});

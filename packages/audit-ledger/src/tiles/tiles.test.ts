import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeBundle, encodeBundle, MalformedBundleError } from './bundle.js';
import { parseTilePath, type Tile, tilePath, tileWidth } from './path.js';

const anyTile: fc.Arbitrary<Tile> = fc.oneof(
  fc.record(
    {
      kind: fc.constant('hashes' as const),
      level: fc.integer({ min: 0, max: 5 }),
      index: fc.nat(10 ** 12),
      width: fc.integer({ min: 1, max: 256 }),
    },
    { noNullPrototype: true },
  ),
  fc.record(
    { kind: fc.constant('entries' as const), index: fc.nat(10 ** 12), width: fc.integer({ min: 1, max: 256 }) },
    { noNullPrototype: true },
  ),
);

describe('tile paths', () => {
  it('parse to what they were made from', () => {
    fc.assert(fc.property(anyTile, (tile) => assert.deepEqual(parseTilePath(tilePath(tile)), tile)));
  });

  it('have one form only', () => {
    for (const path of [
      'tile/0/0',
      'tile/0/x000/001',
      'tile/0/000.p/256',
      'tile/0/000.p/0',
      'tile/0/000.p/01',
      'tile/6/000',
      'tile/00/000',
      'tile/entries/1000',
      'tile/0/../000',
      '/tile/0/000',
      'tile/0/x99999/001',
      'tile/0/000/',
      `tile/0/${'x999/'.repeat(6)}999`,
    ]) {
      assert.equal(parseTilePath(path), null, path);
    }
  });

  it('know how wide a tile is', () => {
    assert.equal(tileWidth(70_000, 0, 272), 256);
    assert.equal(tileWidth(70_000, 0, 273), 112);
    assert.equal(tileWidth(70_000, 0, 274), 0);
    assert.equal(tileWidth(70_000, 2, 0), 1);
  });
});

describe('entry bundles', () => {
  const entries = fc.array(fc.uint8Array({ maxLength: 700 }), { minLength: 1, maxLength: 20 });

  it('come back as they were written, and not when cut', () => {
    fc.assert(
      fc.property(entries, fc.nat(), (list, cut) => {
        const bundle = encodeBundle(list);
        assert.deepEqual(decodeBundle(bundle, list.length).map(Buffer.from), list.map(Buffer.from));
        assert.throws(() => decodeBundle(bundle.subarray(0, cut % bundle.length), list.length), MalformedBundleError);
        assert.throws(() => decodeBundle(bundle, list.length + 1), MalformedBundleError);
      }),
    );
  });
});

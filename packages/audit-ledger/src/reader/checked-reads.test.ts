/** Tiles that a store has lost are made again from the leaves, by a writer and by a reader of it; what is not what was signed is not served. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { openLedger } from '../open-ledger.js';
import type { LedgerStore, LogReads } from '../storage/store.js';
import { BACKENDS, type TestPlace } from '../testing/backends.js';
import { draftOf, ledgerOptions, requestOf } from '../testing/ledgers.js';
import { NodeReader } from '../tiles/node-reader.js';
import { TILE_WIDTH, tileWidth } from '../tiles/path.js';
import { HASH_BYTES } from '../tree/hash.js';
import { verifyInclusion } from '../tree/verify.js';
import { CheckedReads } from './checked-reads.js';
import { tilesOf } from './served-tiles.js';
import { UnverifiableError, VerifiedTree } from './verified-tree.js';

for (const kind of BACKENDS) {
  describe(`tiles of a log in ${kind.name}`, { skip: kind.skip }, () => {
    const places: TestPlace[] = [];
    after(async () => {
      for (const each of places) await each.remove();
    });

    for (const levels of [[0], [1], [0, 1]])
      it(`are made again where those of level ${levels.join(' and ')} are lost`, async () => {
        const place = kind.make();
        places.push(place);
        const { ledger, store, close } = await openLedger(ledgerOptions(place.backend));
        for (let n = 0; n < 700; n += 100)
          await ledger.ingest(requestOf(Array.from({ length: 100 }, (_, i) => draftOf(n + i))));
        const { checkpoint } = ledger;
        const tiles = [
          [0, 0],
          [0, 1],
          [0, 2],
          [1, 0],
        ].map(([level = 0, index = 0]) => ({
          ...({ kind: 'hashes', level, index } as const),
          width: tileWidth(checkpoint.size, level, index),
        }));
        const intact = await Promise.all(tiles.map((tile) => store.readTile(tile)));
        for (const level of levels) await place.loseTiles(level);
        const served = new CheckedReads(store, () => ledger.checkpoint);
        assert.deepEqual(await Promise.all(tiles.map((tile) => served.readTile(tile))), intact);
        const read = await VerifiedTree.open(checkpoint, ...tilesOf(store));
        assert.deepEqual(await Promise.all(tiles.map((tile) => read.tile(tile))), intact);
        const nodes = new NodeReader(
          async (tile) => (await served.readTile(tile)) ?? new Uint8Array(),
          checkpoint.size,
        );
        const [leaf = new Uint8Array()] = await store.readLeaves(300, 301);
        assert.ok(verifyInclusion(leaf, 300, checkpoint, await nodes.inclusionProof(300, checkpoint.size)));
        await close();
      });
  });
}

it('serves no tile whose leaves are not what was signed either', async () => {
  const place = BACKENDS[0]?.make();
  assert.ok(place !== undefined);
  const { ledger, store, close } = await openLedger(ledgerOptions(place.backend));
  await ledger.ingest(requestOf(Array.from({ length: 600 }, (_, i) => draftOf(i))));
  const forged = forgedAt(store, 300);
  const served = new CheckedReads(forged, () => ledger.checkpoint);
  const tile = (index: number) => ({ kind: 'hashes', level: 0, index, width: TILE_WIDTH }) as const;
  assert.equal((await served.readTile(tile(0)))?.length, TILE_WIDTH * HASH_BYTES);
  await assert.rejects(served.readTile(tile(1)), UnverifiableError);
  await close();
  await place.remove();
});

/** A store in which an entry and its hash were replaced. */
function forgedAt(store: LedgerStore, seq: number): LogReads {
  return {
    pruned: store.pruned,
    readEntries: (from, to) => store.readEntries(from, to),
    query: (...question) => store.query(...question),
    readLeaves: async (from, to) => {
      const leaves = await store.readLeaves(from, to);
      return leaves.map((leaf, i) => (from + i === seq ? flipped(leaf ?? new Uint8Array(), 30) : leaf));
    },
    readTile: async (tile) => {
      const bytes = (await store.readTile(tile)) ?? new Uint8Array();
      const holds = tile.level === 0 && tile.index === Math.floor(seq / TILE_WIDTH);
      return holds ? flipped(bytes, (seq % TILE_WIDTH) * HASH_BYTES) : bytes;
    },
  };
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
}

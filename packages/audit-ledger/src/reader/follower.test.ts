/** A reader over every backend: it sees what the writer sees, and stops where the log contradicts what it saw. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { landmarkDraft } from '../commit/system-entries.js';
import { generateSigningKeyText, parseSigningKey } from '../note/keys.js';
import { signRotation } from '../note/rotation.js';
import { type OpenLedger, openLedger } from '../open-ledger.js';
import { nodeDisk } from '../storage/file/disk.js';
import type { Head } from '../storage/head.js';
import { BACKENDS, type TestPlace } from '../testing/backends.js';
import { draftOf, ledgerOptions, requestOf, TEST_KEY } from '../testing/ledgers.js';
import { tileWidth } from '../tiles/path.js';
import { Follower } from './follower.js';
import { judgeEvidence, parseEvidence } from './fork-evidence.js';
import { Kept } from './kept.js';

const EVERYTHING = { gpu: '', type: undefined, startUs: 0, endUs: Number.POSITIVE_INFINITY, fromSeq: 0 };

interface Followed {
  readonly follower: Follower;
  readonly unsettled: string[];
  readonly stops: string[];
  close(): Promise<void>;
}

async function follow(place: TestPlace, directory: string): Promise<Followed> {
  const log = await place.backend.openReader();
  const unsettled: string[] = [];
  const stops: string[] = [];
  const follower = await Follower.open({
    log,
    key: TEST_KEY.verifier,
    kept: new Kept(directory, nodeDisk),
    nowMs: Date.now,
    events: {
      unsettled: (error) => void unsettled.push(error?.message ?? ''),
      grown: () => undefined,
      stopped: (reason) => void stops.push(reason),
      handedOver: () => undefined,
    },
  });
  return { follower, unsettled, stops, close: () => log.close() };
}

for (const kind of BACKENDS) {
  describe(`a follower of a log in ${kind.name}`, { skip: kind.skip }, () => {
    const places: TestPlace[] = [];
    let place: TestPlace;
    let state: string;
    beforeEach(() => {
      place = kind.make();
      places.push(place);
      state = mkdtempSync(join(tmpdir(), 'sentinel-reader-'));
    });
    after(async () => {
      for (const each of places) await each.remove();
    });
    const open = async (acceptRollback = false): Promise<OpenLedger> =>
      await openLedger({ ...ledgerOptions(place.backend), acceptRollback });
    const add = async ({ ledger }: OpenLedger, first: number, count: number): Promise<void> => {
      await ledger.ingest(requestOf(Array.from({ length: count }, (_, n) => draftOf(first + n))));
    };

    it('waits for the first checkpoint, then gives what the writer gives', async () => {
      let writer = await open();
      const followed = await follow(place, state);
      for (const count of [1, 300, 700]) {
        await add(writer, count * 1000, count);
        await followed.follower.look();
        const view = followed.follower.view;
        assert.ok(view);
        const { size } = writer.ledger.checkpoint;
        assert.equal(view.checkpoint.note, writer.ledger.checkpoint.note);
        assert.deepEqual(await view.reads.readEntries(0, size + 9), await writer.store.readEntries(0, size));
        assert.deepEqual(await view.reads.readLeaves(1, size), await writer.store.readLeaves(1, size));
        for (const level of [0, 1]) {
          const width = tileWidth(size, level, 0);
          const tile = { kind: 'hashes', level, index: 0, width } as const;
          if (width > 0) assert.deepEqual(await view.reads.readTile(tile), await writer.store.readTile(tile));
          assert.equal(await view.reads.readTile({ ...tile, index: 9, width: 1 }), undefined);
        }
        const filter = { ...EVERYTHING, gpu: 'GPU-1', toSeq: size };
        assert.deepEqual(await view.reads.query(filter, 'newest', 9), await writer.store.query(filter, 'newest', 9));
      }
      const before = followed.follower.view;
      await writer.close();
      writer = await open();
      await add(writer, 5000, 5);
      await followed.follower.look();
      assert.ok((followed.follower.view?.checkpoint.size ?? 0) > (before?.checkpoint.size ?? 0));
      assert.equal((await before?.reads.readLeaves(0, 10_000))?.length, before?.checkpoint.size);
      assert.deepEqual([followed.unsettled, followed.stops], [[], []]);
      await writer.close();
      await followed.close();
    });

    it('believes a key that the one before handed over to, and no other', async () => {
      const writer = await open();
      await add(writer, 0, 20);
      const followed = await follow(place, state);
      await followed.follower.look();
      const next = parseSigningKey(generateSigningKeyText('sentinel/test'));
      const entry = (note: string) => (head: Head) => {
        const detail = { new_key: next.verifier.text, note, old_key: TEST_KEY.verifier.text };
        return landmarkDraft('key_rotation', detail, head, 1, randomBytes(16));
      };
      const { ledger } = writer;
      const refused = async (): Promise<void> => {
        const { view } = followed.follower;
        await followed.follower.look();
        assert.equal(followed.follower.view, view);
        assert.match(followed.unsettled.at(-1) ?? '', /carries no signature by sentinel\/test/);
      };
      // By no entry; then by one that the new key alone signed, though the old one still signs the log.
      await ledger.signBy(next);
      await add(writer, 100, 1);
      await refused();
      const forged = signRotation(TEST_KEY, next, ledger.checkpoint.size).split('\n');
      await ledger.signBy({ ...next, cosigners: [TEST_KEY] }, entry(`${forged.slice(0, -2).join('\n')}\n`));
      await followed.follower.look();
      assert.equal(followed.follower.view?.checkpoint.size, ledger.checkpoint.size);
      await ledger.signBy(next);
      await add(writer, 200, 1);
      await refused();
      // By the entry that both signed, though the old key is gone at once.
      await ledger.signBy(next, entry(signRotation(TEST_KEY, next, ledger.checkpoint.size)));
      await add(writer, 300, 1);
      await followed.follower.look();
      assert.equal(followed.follower.key.text, next.verifier.text);
      assert.equal(followed.follower.view?.checkpoint.size, ledger.checkpoint.size);
      // From here on the old key speaks for nothing.
      await ledger.signBy(TEST_KEY);
      await add(writer, 400, 1);
      await refused();
      await writer.close();
      await followed.close();
    });

    it('stops at a log that was forked while it was away, with proof', async () => {
      let writer = await open();
      await add(writer, 0, 300);
      await writer.close();
      const restore = await place.copy();
      writer = await open();
      await add(writer, 1000, 5);
      let followed = await follow(place, state);
      await followed.follower.look();
      assert.equal(followed.follower.view?.checkpoint.size, 306);
      await followed.close();
      await writer.close();
      await restore();
      writer = await open(true);
      await add(writer, 2000, 400);
      for (let start = 0; start < 2; start += 1) {
        followed = await follow(place, state);
        await followed.follower.look();
        assert.equal(followed.follower.view, undefined);
        await followed.close();
      }
      const { evidence: [file = ''] = [] } = followed.follower.stop ?? {};
      const evidence = parseEvidence(readFileSync(file, 'utf8'));
      assert.ok(judgeEvidence(evidence, TEST_KEY.verifier.text).proven);
      await writer.close();
    });

    it('stops at a log that went back, once it has looked again', async () => {
      let writer = await open();
      await add(writer, 0, 20);
      await writer.close();
      const restore = await place.copy();
      writer = await open();
      await add(writer, 1000, 5);
      await writer.close();
      const followed = await follow(place, state);
      await followed.follower.look();
      await restore();
      for (let look = 0; look < 3; look += 1) {
        assert.equal(followed.follower.view?.checkpoint.size, 26);
        await followed.follower.look();
      }
      assert.deepEqual(followed.stops, ['the log went back from 26 to 21 entries']);
      assert.equal(followed.unsettled.length, 2);
      await followed.close();
    });
  });
}

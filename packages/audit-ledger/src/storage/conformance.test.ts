/** What every backend does. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, beforeEach, describe, it } from 'node:test';
import { NEVER } from '../beginning.js';
import { SALT_BYTES } from '../detail/commitment.js';
import { StaleNumberError } from '../ingest/deduplicate.js';
import { decodeLeaf } from '../leaf/leaf.js';
import { openCheckpoint } from '../note/checkpoint.js';
import { generateSigningKeyText, parseSigningKey } from '../note/keys.js';
import { type OpenLedger, type OpenLedgerOptions, openLedger } from '../open-ledger.js';
import { Keeper } from '../retention/keeper.js';
import { BACKENDS, type TestPlace } from '../testing/backends.js';
import { draftOf, ledgerOptions, requestOf, TEST_KEY } from '../testing/ledgers.js';
import { tileWidth } from '../tiles/path.js';
import { Turns } from '../turns.js';
import { type VerifyOptions, verifyAgainst, verifyLog } from '../verify/verify-log.js';
import { NoLogError, RollbackError, TamperedStoreError } from './errors.js';
import type { LedgerStore } from './store.js';

const EVERYTHING = { gpu: '', type: undefined, startUs: 0, endUs: Number.POSITIVE_INFINITY, fromSeq: 0 };

for (const kind of BACKENDS) {
  describe(`a log in ${kind.name}`, { skip: kind.skip }, () => {
    const places: TestPlace[] = [];
    let place: TestPlace;
    beforeEach(() => {
      place = kind.make();
      places.push(place);
    });
    after(async () => {
      for (const each of places) await each.remove();
    });
    const open = async (over: Partial<OpenLedgerOptions> = {}): Promise<OpenLedger> =>
      await openLedger({ ...ledgerOptions(place.backend), ...over });
    const verified = async (options: VerifyOptions = {}) => {
      const source = await place.backend.openSource();
      return await verifyLog(source, TEST_KEY.verifier, options).finally(() => source.close());
    };

    it('begins with the genesis, gives consecutive seqs, and continues after a restart', async () => {
      let opened = await open();
      assert.equal((await detailOf(opened.store, 0)).event, 'genesis');
      const first = await opened.ledger.ingest(requestOf([draftOf(1), draftOf(2)]));
      assert.deepEqual(first.seqs, [1, 2]);
      const { root } = opened.ledger.checkpoint;
      await opened.close();
      opened = await open();
      assert.deepEqual(opened.ledger.checkpoint.root, root);
      assert.deepEqual((await opened.ledger.ingest(requestOf([draftOf(3)]))).seqs, [3]);
      await opened.close();
      const { findings, entries, details } = await verified();
      assert.deepEqual([findings, entries, details], [[], 4, 4]);
    });

    it('prunes details but for what is kept, through a restart and a removed hold', async () => {
      let opened = await open();
      const keeper = (): Keeper =>
        new Keeper({
          ledger: opened.ledger,
          store: opened.store,
          turns: new Turns(),
          nowUs: () => Date.now() * 1000,
          randomBytes,
          pruned: () => undefined,
        });
      for (let n = 0; n < 900; n += 90)
        await opened.ledger.ingest(requestOf(Array.from({ length: 90 }, (_, i) => draftOf(n + i))));
      await opened.ledger.sealNow();
      const hold = await keeper().addHold({ gpu: 'GPU-1', producer: '', fromUs: 0, toUs: 0 }, 'case 12', 'lawyer');
      const request = { detailsBeforeUs: Number.MAX_SAFE_INTEGER, leavesBeforeUs: undefined };
      const prune = async () => await keeper().prune(request, (await keeper().plan(request)).token, 'tester');
      assert.equal((await prune()).plan.goneDetails, 600);
      for (const restarted of [false, true]) {
        if (restarted) {
          await opened.close();
          opened = await open();
        }
        const report = await verified();
        assert.deepEqual([report.findings, report.prunedDetails?.count], [[], 600]);
        const stored = await opened.store.readEntries(0, 901);
        assert.equal(stored.filter(({ detailPreimage }) => detailPreimage === undefined).length, 600);
      }
      await keeper().removeHold(hold.id, 'closed', 'lawyer');
      assert.equal((await prune()).plan.goneDetails, 300);
      const report = await verified();
      assert.deepEqual([report.findings, report.prunedDetails?.count], [[], 900]);
      await opened.close();
    });

    it('gives back entries, tiles and matches, of batches of every size, and after a restart', async () => {
      let opened = await open();
      const drafts = Array.from({ length: 1500 }, (_, n) => draftOf(n));
      for (let at = 0, count = 1; at < drafts.length; at += count, count = (count * 3) % 701)
        await opened.ledger.ingest(requestOf(drafts.slice(at, at + count)));
      for (let life = 0; life < 2; life += 1) {
        const { store } = opened;
        const { size } = opened.ledger.checkpoint;
        assert.equal(size, drafts.length + 1);
        const stored = await store.readEntries(0, size + 100);
        assert.deepEqual(
          stored.slice(1).map(({ leaf }) => decodeLeaf(leaf).eventId),
          drafts.map(({ eventId }) => eventId),
        );
        assert.deepEqual(
          await store.readLeaves(300, 900),
          stored.slice(300, 900).map(({ leaf }) => leaf),
        );
        const width = tileWidth(size, 0, 5);
        assert.equal((await store.readTile({ kind: 'hashes', level: 0, index: 5, width }))?.length, 32 * width);
        assert.equal((await store.readTile({ kind: 'hashes', level: 1, index: 0, width: 5 }))?.length, 32 * 5);
        assert.equal(await store.readTile({ kind: 'hashes', level: 1, index: 0, width: 6 }), undefined);
        const page = await store.query({ ...EVERYTHING, gpu: 'GPU-1', toSeq: size }, 'newest', 2);
        assert.deepEqual(page, { seqs: [1499, 1496], next: 1496 });
        assert.ok((await store.storageBytes()) > 1500 * 200);
        await opened.close();
        opened = await open();
      }
      await opened.close();
      assert.deepEqual((await verified()).findings, []);
      const newest = await verified({ depth: 10 });
      assert.deepEqual([newest.findings, newest.firstSeq], [[], 1280]);
    });

    it('knows retries after a restart, and numbered events beyond its window by their producer’s mark', async () => {
      let nowUs = Date.now() * 1000;
      let opened = await open({ nowUs: () => nowUs });
      const drafts = [draftOf(1), draftOf(2)];
      await opened.ledger.ingest(requestOf(drafts, 1));
      for (let i = 0; i < 3; i += 1) {
        await opened.close();
        opened = await open({ nowUs: () => nowUs });
        assert.deepEqual((await opened.ledger.ingest(requestOf(drafts, 1))).seqs, [1, 2]);
        nowUs += 8 * 24 * 3600 * 1e6;
      }
      await assert.rejects(opened.ledger.ingest(requestOf([draftOf(9)], 2)), StaleNumberError);
      assert.deepEqual((await opened.ledger.ingest(requestOf([draftOf(3)], 3))).seqs, [3]);
      await opened.close();
    });

    it('seals what no seal covers, also after a restart', async () => {
      let opened = await open();
      await opened.ledger.ingest(requestOf([draftOf(1), draftOf(2)]));
      opened.ledger.seal();
      await opened.ledger.ingest(requestOf([draftOf(3)]));
      await opened.ledger.ingest(requestOf([draftOf(4)]));
      await opened.close();
      opened = await open();
      opened.ledger.seal();
      await opened.ledger.ingest(requestOf([draftOf(5)]));
      const seal = await detailOf(opened.store, 6);
      assert.deepEqual([seal.event, seal.first, seal.last, seal.counts], ['seal', 3, 5, { decision: 2, system: 1 }]);
      await opened.close();
      opened = await open();
      opened.ledger.seal();
      await opened.close();
    });

    it('that went back in time is refused, and accepted only on request, which is logged', async () => {
      let opened = await open();
      await opened.ledger.ingest(requestOf([draftOf(1)]));
      await opened.close();
      const restore = await place.copy();
      opened = await open();
      await opened.ledger.ingest(requestOf([draftOf(2)]));
      await opened.close();
      await restore();
      await assert.rejects(open(), RollbackError);
      opened = await open({ acceptRollback: true });
      assert.equal(opened.lostSize, 3);
      const detail = await detailOf(opened.store, 2);
      assert.deepEqual([detail.event, detail.lost_size], ['rollback_accepted', 3]);
      await opened.close();
      await (await open()).close();
      assert.deepEqual((await verified()).findings, []);
      await restore();
      await assert.rejects(open(), RollbackError);
    });

    it('is begun only by who may, and after a crash before its genesis without being asked again', async () => {
      for (const _ of [1, 2]) await assert.rejects(open({ beginning: NEVER }), NoLogError);
      const crash = (): never => {
        throw new Error('crash');
      };
      await assert.rejects(open({ beginning: { allowed: true, demanded: false, taken: crash } }), /crash/);
      let taken = 0;
      const count = (): void => {
        taken += 1;
      };
      const opened = await open({ beginning: { allowed: false, demanded: false, taken: count } });
      assert.deepEqual([opened.ledger.checkpoint.size, taken], [1, 1]);
      await opened.close();
      await assert.rejects(open({ beginning: { allowed: true, demanded: true, taken: crash } }), /a log of 1 entries/);
      await (await open({ beginning: NEVER })).close();
    });

    it('without its second place is refused, and accepted only on request, which is logged', async () => {
      let opened = await open();
      await opened.close();
      await place.loseGuard();
      // A crash before the first checkpoint was kept leaves the same.
      opened = await open();
      await opened.ledger.ingest(requestOf([draftOf(1)]));
      await opened.close();
      await place.loseGuard();
      await assert.rejects(open(), RollbackError);
      opened = await open({ acceptRollback: true });
      assert.match(opened.unguarded ?? '', /guard.* is missing/);
      assert.deepEqual(await detailOf(opened.store, 2), { event: 'rollback_accepted', size: 2 });
      await opened.close();
      opened = await open();
      assert.equal(opened.unguarded, undefined);
      await opened.close();
    });

    it('of another key is refused', async () => {
      await (await open()).close();
      for (const name of ['sentinel/test', 'sentinel/other'])
        await assert.rejects(open({ key: parseSigningKey(generateSigningKeyText(name)) }), TamperedStoreError);
    });

    it('verifies up to its head without a signature, and says where there is none', async () => {
      assert.equal(await place.backend.openUnsigned().catch(() => undefined), undefined);
      const opened = await open();
      await opened.ledger.ingest(requestOf(Array.from({ length: 700 }, (_, n) => draftOf(n))));
      await opened.close();
      const found = await place.backend.openUnsigned();
      assert.ok(found !== undefined);
      const checkpoint = { origin: 'head', size: found.head.size, root: found.head.root };
      const report = await verifyAgainst(checkpoint, found.source, {}).finally(() => found.source.close());
      assert.deepEqual([report.findings, report.entries], [[], 701]);
      const [guard = '', ...more] = await place.backend.guards();
      assert.deepEqual([openCheckpoint(guard, TEST_KEY.verifier).size, more], [701, []]);
    });
  });
}

async function detailOf(store: LedgerStore, seq: number): Promise<{ event: string; [name: string]: unknown }> {
  const [entry] = await store.readEntries(seq, seq + 1);
  assert.ok(entry);
  return JSON.parse(Buffer.from((entry.detailPreimage ?? Buffer.alloc(0)).subarray(1 + SALT_BYTES)).toString());
}

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SALT_BYTES } from '../detail/commitment.js';
import { EventConflictError, StaleNumberError } from '../ingest/deduplicate.js';
import { decodeLeaf, LeafType } from '../leaf/leaf.js';
import { generateSigningKeyText, parseSigningKey } from '../note/keys.js';
import { NoLogError, RollbackError, TamperedStoreError } from '../storage/errors.js';
import { FolderSource } from '../storage/file/folder-source.js';
import type { LedgerStore } from '../storage/store.js';
import { draftOf, freshFolder, openTestLedger, recordedEvents, requestOf, TEST_KEY } from '../testing/ledgers.js';
import { verifyLog } from '../verify/verify-log.js';
import { buildBatch, type Draft, EMPTY_CHAIN } from './build.js';
import { DivergenceError } from './divergence.js';
import { MAX_QUEUED_ENTRIES, OverloadedError } from './ledger.js';
import { inPlace } from './second-path.js';
import { Sequencer } from './sequencer.js';

async function detailOf(store: LedgerStore, seq: number): Promise<{ event: string; [name: string]: unknown }> {
  const [entry] = await store.readEntries(seq, seq + 1);
  assert.ok(entry);
  return JSON.parse(Buffer.from((entry.detailPreimage ?? Buffer.alloc(0)).subarray(1 + SALT_BYTES)).toString());
}

describe('ledger', () => {
  it('begins with the genesis, gives consecutive seqs, and continues after a restart', async () => {
    const folder = freshFolder();
    let opened = await openTestLedger(folder);
    assert.equal((await detailOf(opened.store, 0)).event, 'genesis');
    const first = await opened.ledger.ingest(requestOf([draftOf(1), draftOf(2)]));
    assert.deepEqual(first.seqs, [1, 2]);
    assert.equal(first.checkpoint.size, 3);
    await opened.close();
    opened = await openTestLedger(folder);
    assert.deepEqual((await opened.ledger.ingest(requestOf([draftOf(3)]))).seqs, [3]);
    await opened.close();
  });

  it('gives retries their seqs in every mixture of order, repetition and restart', async () => {
    const event = fc.nat(12);
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.array(event, { minLength: 1, maxLength: 4 }) },
      { weight: 1, arbitrary: fc.constant('restart' as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const folder = freshFolder();
        const drafts = Array.from({ length: 13 }, (_, n) => draftOf(n));
        const seqs = new Map<number, number>();
        let opened = await openTestLedger(folder);
        for (const each of steps) {
          if (each === 'restart') {
            await opened.close();
            opened = await openTestLedger(folder);
            continue;
          }
          const receipt = await opened.ledger.ingest(requestOf(each.flatMap((n) => drafts[n] ?? [])));
          each.forEach((n, i) => {
            assert.equal(receipt.seqs[i], seqs.get(n) ?? receipt.seqs[i]);
            seqs.set(n, receipt.seqs[i] ?? -1);
          });
        }
        assert.equal(opened.ledger.checkpoint.size, 1 + seqs.size);
        assert.equal(new Set(seqs.values()).size, seqs.size);
        await opened.close();
      }),
      { numRuns: 15 },
    );
  });

  it('refuses the same id with other content, and records that once', async () => {
    const { ledger, store, close } = await openTestLedger(freshFolder());
    const original = draftOf(1);
    await ledger.ingest(requestOf([original]));
    const other = { ...draftOf(2), eventId: original.eventId };
    await assert.rejects(ledger.ingest(requestOf([draftOf(3), other])), EventConflictError);
    await assert.rejects(ledger.ingest(requestOf([other])), EventConflictError);
    await ledger.ingest(requestOf([draftOf(4)]));
    assert.equal(ledger.checkpoint.size, 4);
    assert.deepEqual((await detailOf(store, 2)).event, 'event_id_conflict');
    await close();
  });

  it('records each refusal for what it is, also one within a request', async () => {
    const { ledger, store, close } = await openTestLedger(freshFolder());
    const original = draftOf(1);
    await ledger.ingest(requestOf([original]));
    for (const over of [{ gpu: 'GPU-9' }, { type: LeafType.probe }, { injected: true }, { eventUs: 7 }])
      await assert.rejects(ledger.ingest(requestOf([{ ...original, ...over }])), EventConflictError);
    const twin = draftOf(5);
    await assert.rejects(ledger.ingest(requestOf([twin, { ...twin, gpu: 'GPU-9' }])), /of this request/);
    await ledger.ingest(requestOf([draftOf(4)]));
    const records = await Promise.all([2, 3, 4, 5, 6].map(async (seq) => await detailOf(store, seq)));
    assert.deepEqual(
      records.map(({ event, producer, seq }) => [event, producer, seq]),
      [
        ...Array.from({ length: 4 }, () => ['event_id_conflict', 'test/1', 1]),
        ['event_id_conflict', 'test/1', undefined],
      ],
    );
    assert.equal(ledger.checkpoint.size, 8);
    await close();
  });

  it('knows numbered events beyond its window by their producer’s mark', async () => {
    const folder = freshFolder();
    let nowUs = Date.now() * 1000;
    let opened = await openTestLedger(folder, { nowUs: () => nowUs });
    const drafts = [draftOf(1), draftOf(2)];
    await opened.ledger.ingest(requestOf(drafts, 1));
    await opened.close();
    nowUs += 8 * 24 * 3600 * 1e6;
    opened = await openTestLedger(folder, { nowUs: () => nowUs });
    assert.deepEqual((await opened.ledger.ingest(requestOf(drafts, 1))).seqs, [1, 2]);
    await assert.rejects(opened.ledger.ingest(requestOf([draftOf(9)], 2)), StaleNumberError);
    assert.deepEqual((await opened.ledger.ingest(requestOf([draftOf(3)], 3))).seqs, [3]);
    await opened.close();
  });

  it('seals what was added since the last seal, and nothing else', async () => {
    const { ledger, store, close } = await openTestLedger(freshFolder());
    await ledger.ingest(requestOf([draftOf(1), draftOf(2, { type: LeafType.anomaly })]));
    ledger.seal();
    await ledger.ingest(requestOf([draftOf(3)]));
    const seal = await detailOf(store, 3);
    assert.deepEqual([seal.event, seal.first, seal.last], ['seal', 0, 2]);
    assert.deepEqual(seal.counts, { anomaly: 1, decision: 1, system: 1 });
    ledger.seal();
    await ledger.ingest(requestOf([draftOf(4)]));
    const before = ledger.checkpoint.size;
    await close();
    assert.equal(before, 7);
  });

  it('pushes back what it cannot hold and takes it later', async () => {
    const events = recordedEvents();
    const { ledger, close } = await openTestLedger(freshFolder(), { events });
    const drafts = (): Draft[] => Array.from({ length: 8192 }, (_, n) => draftOf(n));
    const requests = Math.floor(MAX_QUEUED_ENTRIES / 8192);
    const fits = Array.from({ length: requests }, () => ledger.ingest(requestOf(drafts())));
    const late = requestOf(drafts());
    await assert.rejects(ledger.ingest(late), OverloadedError);
    assert.ok(events.refusals.includes('overloaded'));
    await Promise.all(fits);
    await ledger.ingest(late);
    assert.equal(ledger.checkpoint.size, 1 + 8192 * (requests + 1));
    await close();
  });

  it('never signs what the second path does not agree to', async () => {
    const input = {
      commit: 0,
      epoch: 1,
      batchId: Buffer.alloc(16),
      drafts: [draftOf(1), draftOf(2)],
      nowUs: 5,
      salts: Buffer.alloc(32, 7),
    };
    const shadow = { size: 0, chainHead: Buffer.alloc(32), receivedUs: 0, subtrees: [] };
    const honest = buildBatch(EMPTY_CHAIN, input);
    for (let bit = 0; bit < honest.entries.length * 8; bit += 1) {
      const faulty = new Sequencer(EMPTY_CHAIN, shadow, inPlace, () => {
        const entries = Buffer.from(honest.entries);
        entries[bit >> 3] = (entries[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        return { ...honest, entries };
      });
      await assert.rejects(faulty.propose(input), DivergenceError, `bit ${bit}`);
    }
  });
});

describe('a log that went back in time', () => {
  it('is refused, and accepted only on request, which is logged', async () => {
    const folder = freshFolder();
    const copy = `${folder}.copy`;
    let opened = await openTestLedger(folder);
    await opened.ledger.ingest(requestOf([draftOf(1)]));
    await opened.close();
    await cp(folder, copy, { recursive: true });
    opened = await openTestLedger(folder);
    await opened.ledger.ingest(requestOf([draftOf(2)]));
    await opened.close();
    rmSync(folder, { recursive: true });
    await cp(copy, folder, { recursive: true });
    await assert.rejects(openTestLedger(folder), RollbackError);
    opened = await openTestLedger(folder, { acceptRollback: true });
    assert.equal(opened.lostSize, 3);
    const detail = await detailOf(opened.store, 2);
    assert.deepEqual([detail.event, detail.lost_size], ['rollback_accepted', 3]);
    await opened.close();
    await (await openTestLedger(folder)).close();
    rmSync(folder, { recursive: true });
    await assert.rejects(openTestLedger(folder), NoLogError);
    await assert.rejects(openTestLedger(folder), /guard holds a checkpoint of 3 entries/);
  });

  it('and one of another key are told apart', async () => {
    const folder = freshFolder();
    await (await openTestLedger(folder)).close();
    const key = parseSigningKey(generateSigningKeyText('sentinel/test'));
    await assert.rejects(openTestLedger(folder, { key }), TamperedStoreError);
  });
});

describe('recovery', () => {
  it('beyond a block of the index, with several segments, gives the same log', async () => {
    const folder = freshFolder();
    let opened = await openTestLedger(folder, { segmentBytes: 2 ** 20 });
    for (let i = 0; i < 9; i += 1) {
      await opened.ledger.ingest(requestOf(Array.from({ length: 8192 }, (_, n) => draftOf(n))));
      if (i < 8) opened.ledger.seal();
    }
    const { size, root } = opened.ledger.checkpoint;
    const query = {
      gpu: 'GPU-1',
      type: undefined,
      startUs: 0,
      endUs: Number.POSITIVE_INFINITY,
      fromSeq: 0,
      toSeq: size,
    };
    const found = await opened.store.query(query, 'oldest', 1000);
    await opened.close();
    for (const lost of ['hashes', 'commits', 'index', undefined]) {
      if (lost !== undefined) rmSync(`${folder}/${lost}`, { recursive: true });
      opened = await openTestLedger(folder, { segmentBytes: 2 ** 20 });
      assert.deepEqual(opened.ledger.checkpoint.root, root, lost);
      assert.deepEqual(await opened.store.query(query, 'oldest', 1000), found, lost);
      if (lost === undefined) assert.ok(opened.recomputed < size / 2, 'the newest block alone is recomputed');
      const [entry] = await opened.store.readEntries(70_000, 70_001);
      assert.equal(decodeLeaf(entry?.leaf ?? Buffer.alloc(0)).seq, 70_000);
      await opened.close();
    }
    const source = await FolderSource.open(folder);
    const report = await verifyLog(source, TEST_KEY.verifier, { depth: 300 });
    await source.close();
    assert.deepEqual([report.findings, report.firstSeq <= size - 300], [[], true]);
  });
});

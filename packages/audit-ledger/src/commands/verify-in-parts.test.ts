import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Draft } from '../commit/build.js';
import { Ledger } from '../commit/ledger.js';
import { Sequencer } from '../commit/sequencer.js';
import { Deduplicator } from '../ingest/deduplicate.js';
import { storeLookup } from '../ingest/lookup.js';
import { fileBackend } from '../storage/file/file-backend.js';
import { openSigned } from '../storage/open-signed.js';
import { AgedLedger } from '../testing/aged-ledger.js';
import { draftOf, freshFolder, openTestLedger, recordedEvents, requestOf, TEST_KEY } from '../testing/ledgers.js';
import { TILE_WIDTH } from '../tiles/path.js';
import { HASH_BYTES } from '../tree/hash.js';
import { SourceError } from '../verify/source.js';
import { type VerifyReport, verifyLog } from '../verify/verify-log.js';
import { verifyInParts, verifyPart } from './verify-in-parts.js';

/** The log under test: two parts of two bundles, and some entries more. */
const COMMITS = [200, 300, 200, 400];
const MIDDLE = 3 * TILE_WIDTH;
/** Flips of each file, spread over it. */
const FLIPS = 12;
const HERE = { minEntries: TILE_WIDTH, verifyFirst: verifyPart };

async function makeLog(): Promise<string> {
  const folder = freshFolder();
  const { ledger, close } = await openTestLedger(folder);
  for (const count of COMMITS) await ledger.ingest(requestOf(Array.from({ length: count }, (_, n) => draftOf(n))));
  await close();
  return folder;
}

async function whole(folder: string): Promise<VerifyReport> {
  const source = await openSigned(fileBackend({ directory: folder }), TEST_KEY.verifier);
  return await verifyLog(source, TEST_KEY.verifier).finally(() => source.close());
}

/** One commit of a writer that has forgotten when it received what is in the log. */
async function commitInThePast(folder: string, drafts: readonly Draft[]): Promise<void> {
  const options = { verifier: TEST_KEY.verifier, acceptRollback: false, mayBegin: true, nowUs: Date.now() * 1000 };
  const opened = await fileBackend({ directory: folder }).openWriter({ ...options, newEpochId: randomBytes(16) });
  const { store, state, shadow, window, seals } = opened;
  const forgotten = { receivedUs: 0 };
  const ledger = new Ledger({
    store,
    sequencer: new Sequencer({ ...state, ...forgotten }, { ...shadow, ...forgotten }),
    window,
    seals,
    deduplicator: new Deduplicator(window, storeLookup(store)),
    key: TEST_KEY,
    groupEntries: drafts.length,
    nowUs: () => 1,
    randomBytes,
    events: recordedEvents(),
  });
  await ledger.ingest(requestOf(drafts));
  await ledger.close();
  await store.close();
}

async function inParts(folder: string, options: Parameters<typeof verifyInParts>[2] = HERE) {
  return await verifyInParts(fileBackend({ directory: folder }), TEST_KEY.verifier, options);
}

describe('a log verified in two parts', () => {
  it('is reported as one that is verified as a whole, by a thread too', async () => {
    const folder = await makeLog();
    const expected = await whole(folder);
    assert.equal(expected.ok, true);
    assert.deepEqual((await inParts(folder))?.report, expected);
    const seen: number[] = [];
    const threaded = await inParts(folder, { minEntries: TILE_WIDTH, progress: (verified) => seen.push(verified) });
    assert.deepEqual(threaded?.report, expected);
    assert.equal(Math.max(...seen), expected.entries);
  });

  it('is reported so where details and leaves were pruned', async () => {
    const aged = await AgedLedger.open(freshFolder());
    await aged.grow(6, TILE_WIDTH);
    await aged.prune(2, 1);
    await aged.opened.close();
    const expected = await whole(aged.folder);
    assert.ok(expected.prunedDetails !== undefined && expected.prunedLeaves !== undefined);
    assert.deepEqual((await inParts(aged.folder))?.report, expected);
  });

  it('is left to a whole verification where it is short', async () => {
    assert.equal(await inParts(await makeLog(), { ...HERE, minEntries: MIDDLE }), undefined);
  });

  it('is never found intact where a bit of it was flipped', async () => {
    const folder = await makeLog();
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
    for (const file of names.filter((path) => statSync(path).isFile())) {
      const intact = readFileSync(file);
      const bits = Array.from({ length: FLIPS }, (_, i) => Math.floor(((i + 0.5) / FLIPS) * intact.length * 8));
      // Where the parts meet.
      if (file.includes('/hashes/0/')) bits.push((MIDDLE - 1) * HASH_BYTES * 8, MIDDLE * HASH_BYTES * 8);
      for (const bit of new Set(bits)) {
        const bytes = Buffer.from(intact);
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        writeFileSync(file, bytes);
        const found = await inParts(folder).catch((error: unknown) => error);
        assert.ok(found === undefined || found instanceof SourceError, `bit ${bit} of ${file}`);
      }
      writeFileSync(file, intact);
    }
    assert.ok((await inParts(folder)) !== undefined);
  });

  it('is verified up to where it was when asked, although a writer goes on', async () => {
    const folder = await makeLog();
    const { ledger, close } = await openTestLedger(folder);
    const { size } = ledger.checkpoint;
    const later = async (...args: Parameters<typeof verifyPart>) => {
      await ledger.ingest(requestOf([draftOf(1)]));
      return await verifyPart(...args);
    };
    const found = await inParts(folder, { ...HERE, verifyFirst: later });
    assert.deepEqual([found?.report.entries, found?.report.checkpoint?.size], [size, size]);
    assert.match(found?.note ?? '', new RegExp(`^sentinel/test\\n${size}\\n`));
    await close();
  });

  it('is not found intact where the clock runs backwards just where the parts meet', async () => {
    const folder = freshFolder();
    const { ledger, close } = await openTestLedger(folder);
    await ledger.ingest(requestOf(Array.from({ length: MIDDLE - 1 }, (_, n) => draftOf(n))));
    await close();
    await commitInThePast(
      folder,
      Array.from({ length: MIDDLE - 1 }, (_, n) => draftOf(MIDDLE + n)),
    );
    const { findings } = await whole(folder);
    assert.deepEqual(findings[0], { seq: MIDDLE, what: 'received_us runs backwards' });
    assert.equal(await inParts(folder), undefined);
  });

  it('is not found intact by a thread that found its part damaged, or died', async () => {
    const folder = await makeLog();
    const damaged = async (...args: Parameters<typeof verifyPart>) => ({ ...(await verifyPart(...args)), ok: false });
    assert.equal(await inParts(folder, { ...HERE, verifyFirst: damaged }), undefined);
    const died = (): Promise<never> => Promise.reject(new Error('died'));
    await assert.rejects(inParts(folder, { ...HERE, verifyFirst: died }), /died/);
  });
});

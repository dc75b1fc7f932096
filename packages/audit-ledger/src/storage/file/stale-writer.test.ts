/** A writer that lost the log without noticing destroys nothing. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { describe, it } from 'node:test';
import { segmentPath } from '@sentinel/service-kit/segment-log';
import { eventually } from '@sentinel/test-kit';
import { MemoryDisk } from '../../testing/fork/memory-disk.js';
import { draftOf, freshFolder, openTestLedger, recordedEvents, requestOf, TEST_KEY } from '../../testing/ledgers.js';
import { verifyLog } from '../../verify/verify-log.js';
import { RollbackError, StaleWriterError, UnknownOutcomeError } from '../errors.js';
import { FolderSource } from './folder-source.js';
import { type FileHead, HeadFile } from './head-file.js';
import { layoutOf } from './layout.js';

describe('a folder', () => {
  it('of which another writer made the newest head is left as that one made it', async () => {
    const folder = freshFolder();
    const events = recordedEvents();
    const stale = await openTestLedger(folder, { events });
    await stale.ledger.ingest(requestOf([draftOf(1)]));
    const heads = new HeadFile(layoutOf(folder).heads);
    const head = await heads.read();
    assert.ok(head !== undefined);
    await heads.swap({ ...head, generation: head.generation + 1, epoch: head.epoch + 1 });
    await assert.rejects(stale.ledger.ingest(requestOf([draftOf(2)])), StaleWriterError);
    assert.equal(events.fatals.length, 1);
    await stale.close();

    const source = await FolderSource.open(folder);
    const report = await verifyLog(source, TEST_KEY.verifier).finally(() => source.close());
    assert.deepEqual(report.findings, []);
    const written = statSync(segmentPath(layoutOf(folder).entries, head.entriesEnd.segment)).size;
    assert.equal(written, head.entriesEnd.offset);
  });
});

/** Where no lock keeps anybody out: a shared file system without locks, or a folder that was replaced under its writer. */
describe('a writer that slept', () => {
  const FOLDER = '/store/ledger';
  const memory = () => {
    const disk = new MemoryDisk();
    const view = disk.view({ turn: () => Promise.resolve('done') });
    return { disk, view, open: () => openTestLedger(FOLDER, { disk: view }) };
  };

  it('while the name of its next head was used and freed makes none', async () => {
    const { view, open } = memory();
    await (await open()).close();
    const asleep = Promise.withResolvers<void>();
    const woken = Promise.withResolvers<void>();
    const link: typeof view.link = async (from, to) => {
      asleep.resolve();
      await woken.promise;
      await view.link(from, to);
    };
    const stale = new HeadFile(layoutOf(FOLDER).heads, { ...view, link });
    const other = new HeadFile(layoutOf(FOLDER).heads, view);
    const before = await stale.read();
    assert.ok(before !== undefined);
    const after = (heads: number): FileHead => ({ ...before, generation: before.generation + heads });
    const rejected = assert.rejects(stale.swap(after(1)), StaleWriterError);
    await asleep.promise;
    await other.read();
    for (const heads of [1, 2, 3]) await other.swap(after(heads));
    woken.resolve();
    await rejected;
    assert.equal((await other.read())?.generation, after(3).generation);
  });

  it('whose new head is the only one left leaves it, though it does not follow the one that it read', async () => {
    const { view, open } = memory();
    await (await open()).close();
    const heads = layoutOf(FOLDER).heads;
    const link: typeof view.link = async (from, to) => {
      await view.link(from, to);
      // As another writer that starts removes what it takes for an older one.
      const [before = ''] = (await view.list(heads)).filter((name) => !name.startsWith('tmp.')).sort();
      await view.remove(`${heads}/${before}`);
    };
    const starting = new HeadFile(heads, { ...view, link });
    const before = await starting.read();
    assert.ok(before !== undefined);
    const generation = before.generation + 1;
    await assert.rejects(starting.swap({ ...before, generation }), UnknownOutcomeError);
    assert.equal((await new HeadFile(heads, view).read())?.generation, generation);
  });

  it('while an older copy was put in the place of the folder signs nothing more', async () => {
    const { disk, open } = memory();
    const { ledger } = await open();
    await ledger.ingest(requestOf([draftOf(1)]));
    const putBack = disk.copy(FOLDER);
    await ledger.ingest(requestOf([draftOf(2)]));
    putBack();
    await assert.rejects(ledger.ingest(requestOf([draftOf(3)])), StaleWriterError);
  });

  it('while that copy was taken, another one signed and the copy was put back signs nothing more', async () => {
    const { disk, open } = memory();
    const { ledger } = await open();
    await ledger.ingest(requestOf([draftOf(1)]));
    const putBack = disk.copy(FOLDER);
    const other = await open();
    await other.ledger.ingest(requestOf([draftOf(2)]));
    await other.close();
    const guard = disk.content(layoutOf(FOLDER).guard);
    putBack();
    await assert.rejects(ledger.ingest(requestOf([draftOf(3)])), StaleWriterError);
    assert.equal(disk.content(layoutOf(FOLDER).guard), guard);
    await assert.rejects(open(), RollbackError);
  });

  it('between its commit and the second place puts no older checkpoint in the place of a newer one', async () => {
    const { disk, view, open } = memory();
    await (await open()).close();
    const { guard } = layoutOf(FOLDER);
    let asleep = false;
    const woken = Promise.withResolvers<void>();
    const rename: typeof view.rename = async (from, to) => {
      asleep = to === guard;
      if (asleep) await woken.promise;
      await view.rename(from, to);
    };
    const opening = openTestLedger(FOLDER, { disk: { ...view, rename } });
    await eventually(() => asleep, { what: 'it sleeps', timeoutMs: 10_000 });
    const other = await open();
    await other.ledger.ingest(requestOf([draftOf(1)]));
    const newest = disk.content(guard);
    woken.resolve();
    await assert.rejects(opening, StaleWriterError);
    assert.equal(disk.content(guard), newest);
    await other.close();
  });
});

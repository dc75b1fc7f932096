/** Two writers of one folder: the second is refused, and one that lost the log without noticing destroys nothing. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, statSync } from 'node:fs';
import { describe, it } from 'node:test';
import { segmentPath } from '@sentinel/service-kit/segment-log';
import { draftOf, freshFolder, openTestLedger, recordedEvents, requestOf, TEST_KEY } from '../../testing/ledgers.js';
import { verifyLog } from '../../verify/verify-log.js';
import { LockedError, StaleWriterError } from '../errors.js';
import { FolderSource } from './folder-source.js';
import { HeadFile } from './head-file.js';
import { layoutOf } from './layout.js';
import { DirectoryLock } from './lock.js';

/** Holds the folder as a writer in another network namespace would: unseen by name, by flock alone. */
async function holdElsewhere(folder: string): Promise<ChildProcess> {
  const holder = spawn('flock', ['-x', folder, 'sh', '-c', 'echo held; cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(holder.stdout, 'data');
  return holder;
}

describe('a folder', () => {
  it('that a process of another container holds is refused until that one ends', async () => {
    const folder = freshFolder();
    mkdirSync(folder);
    const holder = await holdElsewhere(folder);
    await assert.rejects(DirectoryLock.acquire(folder), LockedError);
    holder.stdin?.end();
    await once(holder, 'close');
    await (await DirectoryLock.acquire(folder))[Symbol.asyncDispose]();
  });

  it('is held against the process itself, and given back', async () => {
    const folder = freshFolder();
    mkdirSync(folder);
    const lock = await DirectoryLock.acquire(folder);
    await assert.rejects(DirectoryLock.acquire(folder), LockedError);
    await lock[Symbol.asyncDispose]();
    await (await DirectoryLock.acquire(folder))[Symbol.asyncDispose]();
  });

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

/** A writer that lost the log without noticing destroys nothing. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { describe, it } from 'node:test';
import { segmentPath } from '@sentinel/service-kit/segment-log';
import { draftOf, freshFolder, openTestLedger, recordedEvents, requestOf, TEST_KEY } from '../../testing/ledgers.js';
import { verifyLog } from '../../verify/verify-log.js';
import { StaleWriterError } from '../errors.js';
import { FolderSource } from './folder-source.js';
import { HeadFile } from './head-file.js';
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

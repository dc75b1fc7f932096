/** A head is written beside its records, before it is known where they end. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { AgedLedger } from '../../testing/aged-ledger.js';
import { draftOf, freshFolder, requestOf } from '../../testing/ledgers.js';
import { PowerLossDisk } from '../../testing/power-loss-disk.js';
import { type FileHead, HeadFile } from './head-file.js';
import { layoutOf } from './layout.js';

const LATER_MS = 50;

describe('a commit', () => {
  it('during which a pruning makes a log go on in another file speaks of that file', async () => {
    const disk = new PowerLossDisk();
    const aged = await AgedLedger.open(freshFolder(), { disk });
    await aged.grow(2, 4);
    const { details, heads } = layoutOf(aged.folder);
    const sync = disk.syncDirectory.bind(disk);
    let committing: Promise<FileHead | undefined> | undefined;
    disk.syncDirectory = async (directory) => {
      if (directory === details) {
        committing ??= aged.opened.ledger.ingest(requestOf([draftOf(1_000)])).then(() => new HeadFile(heads).read());
        await delay(LATER_MS);
      }
      await sync(directory);
    };
    await aged.prune(1);
    assert.equal((await committing)?.detailsEnd.segment, 2);
    await aged.reopen();
    assert.deepEqual((await aged.verify()).findings, []);
    await aged.opened.close();
  });
});

/** Power cuts of a ledger under load, on a disk that forgets what was not synced. */
import { dirname, join } from 'node:path';
import { FolderSource } from '../storage/file/folder-source.js';
import { verifyLog } from '../verify/verify-log.js';
import { draftOf, freshFolder, openTestLedger, requestOf, TEST_KEY } from './ledgers.js';
import { PowerLossDisk } from './power-loss-disk.js';

const SENDERS = 3;

/** Size of the log that was acknowledged before the cut, and of the log that is found after it. Rejects where none can be opened. */
export async function cutPower(disk: PowerLossDisk, cutAfterAcks: number): Promise<{ acked: number; found: number }> {
  const folder = freshFolder();
  const { ledger, close } = await openTestLedger(folder, { disk });
  let acked = ledger.checkpoint.size;
  const target = acked + cutAfterAcks;
  const run = async (): Promise<void> => {
    for (let n = 0; acked < target; n += 1) {
      const { checkpoint } = await ledger.ingest(requestOf([draftOf(n), draftOf(n)]));
      acked = Math.max(acked, checkpoint.size);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, run));
  const survivor = join(dirname(folder), 'survivor');
  await disk.survivors(folder, survivor);
  await close();
  const after = await openTestLedger(survivor);
  const found = after.ledger.checkpoint.size;
  await after.close();
  if (found > 1) {
    const source = await FolderSource.open(survivor);
    const { ok } = await verifyLog(source, TEST_KEY.verifier).finally(() => source.close());
    if (!ok) throw new Error('the log that survived does not verify');
  }
  return { acked, found };
}

/** A disk as a writer sees it that acknowledges before its entries are synced. */
export function ackBeforeSync(): PowerLossDisk {
  const disk = new PowerLossDisk();
  disk.before = (operation, path) => {
    disk.honest = !(operation === 'sync' && path.endsWith('.seg'));
  };
  return disk;
}

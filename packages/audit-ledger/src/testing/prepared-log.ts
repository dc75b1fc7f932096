/** Logs of many entries, made in this process: what a benchmark begins with. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { testEvents } from '../hammer/test-events.js';
import { checkEvents } from '../ingest/check-events.js';
import { parseSigningKey } from '../note/keys.js';
import { openTestLedger } from './ledgers.js';
import { bytesOf } from './wire.js';
import type { WriterProcess } from './writer-process.js';

const EVENTS_PER_REQUEST = 4096;
/** Requests under way: one is hashed while the next waits. */
const WINDOW = 4;

/** Fills the log of a writer that does not run with `entries` entries. */
export async function fillLog(writer: WriterProcess, entries: number): Promise<void> {
  const key = parseSigningKey(readFileSync(join(writer.folder, 'ledger.key'), 'utf8').trim());
  const { ledger, close } = await openTestLedger(writer.dataFolder, { key });
  let next = ledger.checkpoint.size;
  const send = async (): Promise<void> => {
    while (next < entries) {
      const count = Math.min(EVENTS_PER_REQUEST, entries - next);
      const events = testEvents('prepared', next, count, Date.now() * 1000);
      next += count;
      await ledger.ingest(checkEvents(bytesOf({ producer: 'prepared', producerEpoch: 0n, firstSequence: 0n, events })));
    }
  };
  await Promise.all(Array.from({ length: WINDOW }, send));
  await close();
}

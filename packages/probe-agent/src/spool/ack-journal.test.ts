import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type SpoolFolder, spoolFolder } from '@sentinel/service-kit/spool';
import { temporaryFolder } from '../testing/folder.js';
import { batchPayload, TEST_DEVICE } from '../testing/payloads.js';
import { AckJournal, type AckLine } from './ack-journal.js';
import { openProbeSpool, type ProbeSpool } from './probe-spool.js';

const root = temporaryFolder();
const FILE = join(root, 'acks.jsonl');

async function open(folder: SpoolFolder): Promise<{ spool: ProbeSpool; close: () => Promise<void> }> {
  const journal = await AckJournal.open(FILE, folder.spoolId);
  const spool = await openProbeSpool({ folder, maxBytes: 1 << 20, journal, onGivenUp: () => {} });
  const close = async () => {
    await spool.close();
    await journal.close();
  };
  return { spool, close };
}

function lines(): AckLine[] {
  return readFileSync(FILE, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as AckLine);
}

test('every record is journalled once, when it is committed, with its runs, across restarts and torn lines', async () => {
  const folder = spoolFolder(join(root, 'spool'), () => randomBytes(16));
  const first = await open(folder);
  for (let k = 1; k <= 4; k++) await first.spool.append(batchPayload(k * 100, k, k === 3 ? 1 : 0));
  await first.spool.acknowledge(2n, 0n);
  await first.spool.acknowledge(2n, 1n);
  await first.close();
  appendFileSync(FILE, '{"spoolId":"torn');

  const second = await open(folder);
  await second.spool.acknowledge(3n, 2n);
  await second.spool.acknowledge(4n, 4n);
  await second.spool.acknowledge(4n, 4n);
  await second.close();

  const seen = lines();
  assert.deepEqual(
    seen.map(({ sequence, committedThrough, archivedThrough }) => [sequence, committedThrough, archivedThrough]),
    [
      [1, 2, 0],
      [2, 2, 0],
      [3, 3, 2],
      [4, 4, 4],
    ],
  );
  assert.ok(seen.every(({ spoolId }) => spoolId === folder.spoolId.toString('hex')));
  const run = { device: TEST_DEVICE, family: 1, kind: 1, index: 0, smsPlanned: 2, smsRun: 2 };
  assert.deepEqual(seen[2]?.runs, [
    { ...run, epoch: 300, failedSms: [1] },
    { ...run, epoch: 301, failedSms: [] },
    { ...run, epoch: 302, failedSms: [] },
  ]);
});

test('a new spool starts its own count in the same journal', async () => {
  const { spool, close } = await open(spoolFolder(join(root, 'other'), () => randomBytes(16)));
  await spool.append(batchPayload(1, 1));
  await spool.acknowledge(1n, 1n);
  await close();
  assert.equal(lines().at(-1)?.sequence, 1);
});

/** A repair that is cut off, at each of its file operations and by kill -9: nothing is worse than before, no repair goes unsaid, and the next one ends it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseSigningKey } from '../note/keys.js';
import { fileBackend } from '../storage/file/file-backend.js';
import { draftOf, freshFolder, openTestLedger, requestOf, TEST_KEY } from '../testing/ledgers.js';
import { PowerLossDisk } from '../testing/power-loss-disk.js';
import { WriterProcess } from '../testing/writer-process.js';
import { Turns } from '../turns.js';
import { verifyLog } from '../verify/verify-log.js';
import { openCopy } from './copies.js';
import { RepairJournal } from './journal.js';
import { recorder } from './recorder.js';
import { Repairer, recordPending } from './repairer.js';

const BIN = fileURLToPath(new URL('../../bin/sentinel-audit-ledger.mjs', import.meta.url));
const KILLS = 3;
/** Every so many operations one is the last. */
const FATAL_STEP = 5;
const COMMITS = 5;
const PER_COMMIT = 60;

type Key = typeof TEST_KEY;

async function makeLog(folder: string, key: Key): Promise<void> {
  const { ledger, close } = await openTestLedger(folder, { key });
  for (let n = 0; n < COMMITS; n += 1)
    await ledger.ingest(requestOf(Array.from({ length: PER_COMMIT }, (_, i) => draftOf(n * PER_COMMIT + i))));
  await close();
}

/** With the checkpoint beside it. */
function copyLog(from: string, to: string): void {
  cpSync(from, to, { recursive: true });
  cpSync(`${from}.guard`, `${to}.guard`);
}

/** Damages entries, details and hashes of many commits. */
function damage(folder: string): void {
  for (const name of ['entries/0000000001.seg', 'details/0000000001.seg', 'hashes/0/0000000000']) {
    const bytes = readFileSync(join(folder, name));
    for (let at = 500; at < bytes.length; at += 9_001) bytes[at] = (bytes[at] ?? 0) ^ 4;
    writeFileSync(join(folder, name), bytes);
  }
}

async function findings(folder: string, key: Key): Promise<number> {
  const source = await fileBackend({ directory: folder }).openSource();
  return (await verifyLog(source, key.verifier).finally(() => source.close())).found;
}

describe('a repair that is interrupted', () => {
  it('is never worse than before, and whole with the next, after a failure of each of its file operations', async () => {
    const original = freshFolder();
    await makeLog(original, TEST_KEY);
    const copy = await openCopy(original);
    let failed = 0;
    for (let fatal = 0; ; fatal += FATAL_STEP) {
      const folder = freshFolder();
      copyLog(original, folder);
      damage(folder);
      const before = await findings(folder, TEST_KEY);
      const disk = new PowerLossDisk();
      let operations = 0;
      disk.before = () => {
        operations += 1;
        if (operations > fatal) throw Object.assign(new Error('the disk is gone'), { code: 'EIO' });
      };
      const repairerOn = (failing: PowerLossDisk | undefined, record: ReturnType<typeof recorder> | undefined) =>
        new Repairer({
          backend: fileBackend({ directory: folder, ...(failing === undefined ? {} : { disk: failing }) }),
          key: TEST_KEY.verifier,
          turns: new Turns(),
          journal: new RepairJournal(`${folder}.repair`, failing),
          nowUs: () => 1,
          randomBytes,
          record,
          repaired: () => undefined,
        });
      const crashed = await repairerOn(disk, undefined)
        .repair([copy], 'tester')
        .then(
          () => false,
          () => true,
        );
      disk.before = () => undefined;
      const now = await findings(folder, TEST_KEY);
      assert.ok(now <= before, `${now} findings after ${fatal} operations, ${before} before`);
      const journal = new RepairJournal(`${folder}.repair`);
      assert.ok(now === before || (await journal.pending()).length === 1, 'bytes changed that no repair speaks of');
      if (now > 0) assert.deepEqual((await repairerOn(undefined, undefined).repair([copy], 'tester')).left, []);
      const pending = (await journal.pending()).length;
      const { ledger, close } = await openTestLedger(folder);
      const seqs = await recordPending(journal, recorder(ledger));
      assert.deepEqual([seqs.length, await journal.pending()], [pending, []]);
      await close();
      assert.equal(await findings(folder, TEST_KEY), 0);
      rmSync(join(folder, '..'), { recursive: true });
      if (!crashed) break;
      failed += 1;
    }
    assert.ok(failed > 5, `${failed} operations`);
    await copy.close();
  });

  it('is whole again after kill -9, and is in the log', async () => {
    await using writer = new WriterProcess();
    const key = parseSigningKey(readFileSync(join(writer.folder, 'ledger.key'), 'utf8').trim());
    const original = freshFolder();
    await makeLog(original, key);
    let interrupted = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      for (const name of readdirSync(writer.folder))
        if (name.startsWith('ledger') && name !== 'ledger.key') rmSync(join(writer.folder, name), { recursive: true });
      copyLog(original, writer.dataFolder);
      damage(writer.dataFolder);
      const before = await findings(writer.dataFolder, key);
      const args = ['--config', join(writer.folder, 'sentinel.yaml'), 'repair', '--from', original];
      const child = spawn(process.execPath, [BIN, ...args]);
      const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
      while (child.exitCode === null && !existsSync(`${writer.dataFolder}.repair`)) await delay(1);
      await delay(kill * 5);
      child.kill('SIGKILL');
      interrupted += Number((await ended)[1] === 'SIGKILL');
      const now = await findings(writer.dataFolder, key);
      assert.ok(now <= before);
      const done = await writer.run('repair', '--from', original);
      assert.equal(done.code, 0, done.output);
      assert.ok(!existsSync(`${writer.dataFolder}.repair`));
      const verified = await writer.run('verify', '--full');
      assert.equal(verified.code, 0, verified.output);
      const source = await fileBackend({ directory: writer.dataFolder }).openSource();
      let repairs = 0;
      await source.tile({ kind: 'entries', index: 1, width: 46 });
      for await (const openings of source.openings?.(256, 320) ?? [])
        repairs += openings.filter(({ detail }) => Buffer.from(detail).includes('"event":"repair"')).length;
      await source.close();
      assert.ok(repairs > 0);
    }
    assert.ok(interrupted > 0);
  });
});

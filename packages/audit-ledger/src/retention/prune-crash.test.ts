import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseSigningKey } from '../note/keys.js';
import { AgedLedger } from '../testing/aged-ledger.js';
import { freshFolder } from '../testing/ledgers.js';
import { PowerLossDisk } from '../testing/power-loss-disk.js';
import { WriterProcess } from '../testing/writer-process.js';

const BIN = fileURLToPath(new URL('../../bin/sentinel-audit-ledger.mjs', import.meta.url));
const KILLS = 4;

/** After a crash anything between nothing and everything may be gone, and nothing else; the next start ends it. */
async function assertWhole(aged: AgedLedger, all: number): Promise<void> {
  const crashed = await aged.verify();
  assert.deepEqual(crashed.findings, []);
  await aged.reopen();
  const resumed = await aged.keeper.resume();
  const { findings, prunedDetails } = await aged.verify();
  assert.deepEqual(findings, []);
  if (resumed !== undefined) assert.equal(prunedDetails?.count, all);
}

describe('a pruning that is interrupted', () => {
  it('is whole again after a failure of each of its file operations', async () => {
    const original = await AgedLedger.open(freshFolder(), { segmentBytes: 3_000 });
    await original.grow(4, 10, 5);
    await original.opened.close();
    let failed = 0;
    for (let fatal = 0; ; fatal += 1) {
      const disk = new PowerLossDisk();
      const folder = freshFolder();
      cpSync(original.folder, folder, { recursive: true });
      cpSync(`${original.folder}.guard`, `${folder}.guard`);
      const aged = await AgedLedger.open(folder, { disk, segmentBytes: 3_000 });
      let operations = 0;
      disk.before = () => {
        operations += 1;
        if (operations > fatal) throw Object.assign(new Error('the disk is gone'), { code: 'EIO' });
      };
      const crashed = await aged.prune(3, 3).then(
        () => false,
        () => true,
      );
      disk.before = () => undefined;
      await assertWhole(aged, 30);
      await aged.opened.close();
      if (!crashed) break;
      failed += 1;
    }
    assert.ok(failed > 30, `${failed} operations`);
  });

  it('is whole again after kill -9', async () => {
    await using writer = new WriterProcess();
    const key = parseSigningKey(readFileSync(join(writer.folder, 'ledger.key'), 'utf8').trim());
    const original = await AgedLedger.open(freshFolder(), { key });
    await original.grow(10, 1000, 100);
    await original.opened.close();
    let interrupted = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      rmSync(writer.dataFolder, { recursive: true, force: true });
      cpSync(original.folder, writer.dataFolder, { recursive: true });
      cpSync(`${original.folder}.guard`, `${writer.dataFolder}.guard`);
      const aged = await AgedLedger.open(writer.dataFolder, { key });
      const day = new Date((1_700_000_000 + 8 * 86_400) * 1000).toISOString();
      await aged.opened.close();
      const { code, output } = await writer.run('prune', '--dry-run', '--before', day);
      assert.equal(code, 0, output);
      const token = /--confirm (\S+)/.exec(output)?.[1] ?? '';
      const killed = await killDuring(writer, ['prune', '--before', day, '--confirm', token], kill);
      interrupted += Number(killed);
      await aged.reopen();
      await assertWhole(aged, 8000);
      await aged.opened.close();
    }
    assert.ok(interrupted > 0);
  });
});

/** Kills the command a little later each time, from when the log in its folder has grown by the announcement. */
async function killDuring(writer: WriterProcess, args: readonly string[], kill: number): Promise<boolean> {
  const child = spawn(process.execPath, [BIN, '--config', join(writer.folder, 'sentinel.yaml'), ...args]);
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const before = checkpointSize(writer);
  while (child.exitCode === null && checkpointSize(writer) === before) await delay(1);
  await delay(kill * 4);
  child.kill('SIGKILL');
  const [, signal] = await ended;
  return signal === 'SIGKILL';
}

function checkpointSize({ dataFolder }: WriterProcess): number {
  return Number(readFileSync(join(dataFolder, 'checkpoint'), 'utf8').split('\n')[1]);
}

/** One key signs one log: what a writer does where its log is not. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { callUnary } from '@sentinel/service-kit/grpc-client';
import { clientOf, eventOf } from './testing/wire.js';
import { WriterProcess } from './testing/writer-process.js';

/** Logs an event and stops. */
async function logOne(writer: WriterProcess, n: number): Promise<void> {
  const client = clientOf((await writer.start()).grpc);
  const request = { producer: 'test/1', producerEpoch: 0n, firstSequence: 0n, events: [eventOf(n)] };
  await callUnary(client, client.ingestEvents, request);
  client.close();
  await writer.signal('SIGTERM');
}

function loseLog(writer: WriterProcess): void {
  rmSync(writer.dataFolder, { recursive: true });
  rmSync(`${writer.dataFolder}.guard`);
}

describe('a key that has signed', () => {
  it('begins no second log where its folder and the guard are gone, and nothing is written there', async () => {
    await using writer = new WriterProcess();
    const mark = join(writer.folder, 'ledger.key.unused');
    assert.equal(readFileSync(mark, 'utf8').trim(), writer.verifierKey);
    await logOne(writer, 1);
    assert.ok(!existsSync(mark));
    loseLog(writer);
    for (const _ of [1, 2]) {
      const { code, output } = await writer.run();
      assert.equal(code, 78, output);
      assert.match(output, /there is no log in .*Is its volume mounted\?.*--new-log/);
    }
  });

  it('begins again where an operator says so, once', async () => {
    await using writer = new WriterProcess();
    await logOne(writer, 1);
    loseLog(writer);
    await writer.start('--new-log');
    await writer.signal('SIGTERM');
    const { code, output } = await writer.run('--new-log');
    assert.equal(code, 78, output);
    assert.match(output, /there is a log of 1 entries already/);
    await logOne(writer, 2);
  });
});

describe('a log whose guard is not beside it', () => {
  it('is refused where the guard was removed, and called unguarded where it is empty', async () => {
    await using writer = new WriterProcess();
    await logOne(writer, 1);
    const guard = `${writer.dataFolder}.guard`;
    renameSync(guard, `${guard}.away`);
    const { code, output } = await writer.run();
    assert.notEqual(code, 0);
    assert.match(output, /guard is missing: nothing shows whether the log in .* went back in time/);
    renameSync(`${guard}.away`, guard);
    truncateSync(guard, 0);
    const { http } = await writer.start();
    assert.match(writer.output, /CRITICAL: nothing shows whether the log went back in time/);
    const health = (await (await fetch(`http://${http}/health`)).json()) as { unguarded?: string };
    assert.match(health.unguarded ?? '', /guard is empty/);
  });

  it('has one guard by whatever name its folder is reached', async () => {
    await using writer = new WriterProcess();
    await logOne(writer, 1);
    cpSync(writer.dataFolder, `${writer.dataFolder}.copy`, { recursive: true });
    await logOne(writer, 2);
    rmSync(writer.dataFolder, { recursive: true });
    renameSync(`${writer.dataFolder}.copy`, writer.dataFolder);
    const link = join(writer.folder, 'link');
    symlinkSync(writer.dataFolder, link);
    const { code, output } = await writer.run('--override', `data_dir=${link}`);
    assert.notEqual(code, 0);
    assert.match(output, /went back in time: it has 2 entries, a checkpoint of it has 3/);
  });
});

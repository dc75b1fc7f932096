import assert from 'node:assert/strict';
import { chmodSync, cpSync, existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openCheckpoint } from '../note/checkpoint.js';
import { parseVerifierKey } from '../note/keys.js';
import { NoteError } from '../note/note.js';
import { FolderSource } from '../storage/file/folder-source.js';
import { clientOf, commitEvents, eventOf } from '../testing/wire.js';
import { WriterProcess } from '../testing/writer-process.js';
import { httpSource } from '../verify/http-source.js';
import { verifyLog } from '../verify/verify-log.js';

describe('keygen --rotate', () => {
  it('hands the log over; whoever pinned the old key goes on, with it and without it', async () => {
    await using writer = new WriterProcess();
    const file = join(writer.folder, 'ledger.key');
    const old = parseVerifierKey(writer.verifierKey);
    const ingest = async (n: number, ...args: string[]): Promise<string> => {
      const { grpc } = await writer.start(...args);
      const client = clientOf(grpc);
      const request = { producer: 'test/1', producerEpoch: 0n, firstSequence: 0n, events: [eventOf(n)] };
      const { checkpoint } = await commitEvents(client, request);
      client.close();
      return checkpoint;
    };
    await ingest(1);
    await writer.signal('SIGTERM');
    const before = readFileSync(file, 'utf8');
    cpSync(file, `${file}.copy`);

    const { code, output } = await writer.run('keygen', '--rotate');
    assert.equal(code, 0, output);
    const next = parseVerifierKey(output.split('\n')[0] ?? '');
    assert.notEqual(next.text, old.text);
    assert.equal(next.name, old.name);
    assert.notEqual(readFileSync(file, 'utf8'), before);
    assert.deepEqual([statSync(file).mode & 0o777, statSync(`${file}.retired`).mode & 0o777], [0o600, 0o600]);

    // Both sign as long as the old key is there.
    const both = await ingest(2);
    assert.equal(openCheckpoint(both, old).size, openCheckpoint(both, next).size);
    await writer.signal('SIGTERM');

    // Without it the old key still leads to the new one.
    rmSync(`${file}.retired`);
    const { http } = await writer.start();
    const remote = httpSource(`http://${http}`, fetch);
    const alone = await (await fetch(`http://${http}/checkpoint`)).text();
    assert.throws(() => openCheckpoint(alone, old), NoteError);
    assert.deepEqual((await verifyLog(remote, old)).findings, []);
    await writer.signal('SIGTERM');
    const source = await FolderSource.open(writer.dataFolder);
    const report = await verifyLog(source, old).finally(() => source.close());
    assert.deepEqual(report.findings, []);
    assert.equal((await writer.run('verify', '--full')).code, 0);

    // A second time, from the genesis on.
    assert.equal((await writer.run('keygen', '--rotate')).code, 0);
    rmSync(`${file}.retired`);
    await ingest(3);
    await writer.signal('SIGTERM');
    const again = await FolderSource.open(writer.dataFolder);
    assert.deepEqual((await verifyLog(again, old).finally(() => again.close())).findings, []);

    // The old key alone continues nothing.
    cpSync(`${file}.copy`, file);
    const refused = await writer.run();
    assert.notEqual(refused.code, 0);
    assert.match(refused.output, /the log was handed over to/);
    assert.ok(!existsSync(`${file}.next`));

    chmodSync(file, 0o644);
    assert.match((await writer.run()).output, /can be read by others \(mode 0644\)/);
  });
});

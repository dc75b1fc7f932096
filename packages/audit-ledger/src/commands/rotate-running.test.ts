/** Rotations of a running writer, followed by everybody who pinned the first key: by the entries alone, once old keys are gone. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { callUnary } from '@sentinel/service-kit/grpc-client';
import { eventually } from '@sentinel/test-kit';
import { openCheckpoint } from '../note/checkpoint.js';
import { generateSigningKeyText, parseSigningKey, parseVerifierKey } from '../note/keys.js';
import { NoteError } from '../note/note.js';
import { linkedKeys } from '../note/rotation.js';
import { verdictsOf } from '../testing/offline.js';
import { clientOf, commitEvents, eventOf } from '../testing/wire.js';
import { type LedgerProcess, readerOf, type WriterAddresses, WriterProcess } from '../testing/writer-process.js';
import { httpSource } from '../verify/http-source.js';
import { verifyLog } from '../verify/verify-log.js';

describe('a rotation in a running writer', () => {
  let writer: WriterProcess;
  let reader: LedgerProcess;
  let at: WriterAddresses;
  let readerAt: WriterAddresses;
  let keyFile: string;
  let pinned: ReturnType<typeof parseVerifierKey>;
  let sent = 0;
  before(async () => {
    writer = new WriterProcess();
    reader = readerOf(writer);
    pinned = parseVerifierKey(writer.verifierKey);
    keyFile = join(writer.folder, 'ledger.key');
    at = await writer.start();
    readerAt = await reader.start();
    await ingest(300);
  });
  after(async () => {
    await reader[Symbol.asyncDispose]();
    await writer[Symbol.asyncDispose]();
  });

  async function ingest(count: number): Promise<string> {
    const client = clientOf(at.grpc);
    const events = Array.from({ length: count }, (_, n) => eventOf(sent + n));
    sent += count;
    const request = { producer: 'test/1', producerEpoch: 0n, firstSequence: 0n, events };
    const { checkpoint } = await commitEvents(client, request).finally(() => client.close());
    return checkpoint;
  }

  const checkpointAt = async ({ http }: WriterAddresses): Promise<string> =>
    await (await fetch(`http://${http}/checkpoint`)).text();

  /** The reader serves what the writer signed last. */
  async function reaches(): Promise<void> {
    const expected = await checkpointAt(at);
    await eventually(async () => (await checkpointAt(readerAt)) === expected, { what: 'the reader follows' }).catch(
      ({ message }: Error) => assert.fail(`${message}: ${reader.output.slice(-1000)}`),
    );
  }

  const rotate = async () => await writer.run('keygen', '--rotate', '--address', at.grpc);

  it('hands over while clients go on, and a crash loses nothing', async () => {
    let stop = false;
    const load = async () => {
      while (!stop) await ingest(3);
    };
    const rotated = async () => {
      const done = await rotate();
      await sleep(100);
      return done;
    };
    const [{ code, output }] = await Promise.all([rotated().finally(() => (stop = true)), load()]);
    assert.equal(code, 0, output);
    const next = parseVerifierKey(output.split('\n')[0] ?? '');
    assert.notEqual(next.text, pinned.text);
    const note = await ingest(1);
    assert.equal(openCheckpoint(note, next).size, openCheckpoint(note, pinned).size);
    await reaches();
    await writer.signal('SIGKILL');
    at = await writer.start();
    assert.equal(openCheckpoint(await ingest(1), next).size, openCheckpoint(await checkpointAt(at), pinned).size);
    assert.ok(!existsSync(`${keyFile}.next`));
  });

  it('SIGHUP: a retired key that is gone signs no more; a new key in the file takes over', async () => {
    rmSync(`${keyFile}.retired`);
    process.kill(writer.pid ?? 0, 'SIGHUP');
    await eventually(async () => !opens(await checkpointAt(at), writer.verifierKey), { what: 'it signs no more' });
    assert.ok(!opens(await ingest(1), writer.verifierKey));
    await reaches();

    const replacement = generateSigningKeyText('sentinel/test');
    writeFileSync(keyFile, `${replacement}\n`, { mode: 0o600 });
    process.kill(writer.pid ?? 0, 'SIGHUP');
    const third = parseSigningKey(replacement).verifier.text;
    await eventually(async () => opens(await checkpointAt(at), third), { what: 'the new key takes over' });
    process.kill(writer.pid ?? 0, 'SIGHUP');
    await sleep(200);
    assert.ok(opens(await ingest(1), third));
    await reaches();
    const foreign = generateSigningKeyText('sentinel/other');
    writeFileSync(keyFile, `${foreign}\n`, { mode: 0o600 });
    process.kill(writer.pid ?? 0, 'SIGHUP');
    await eventually(() => writer.output.includes('the new key is of log'), { what: 'it says why not' });
    assert.match(writer.output, /not reloaded.*the new key is of log sentinel\/other, this log is sentinel\/test/);
    writeFileSync(keyFile, `${replacement}\n`, { mode: 0o600 });
    assert.ok(opens(await ingest(1), third));
  });

  it('whoever pinned the first key follows both, each in its way', async () => {
    const note = await ingest(1);
    await reaches();
    assert.ok(!opens(note, pinned.text));
    for (const { http } of [at, readerAt]) {
      const report = await verifyLog(httpSource(`http://${http}`, fetch), pinned, { depth: 10 });
      assert.deepEqual([report.findings, report.followed?.rotations.length], [[], 2]);
    }
    // A reader that starts anew, with the first key alone.
    await using fresh = readerOf(writer);
    const { http } = await fresh.start();
    assert.equal(await checkpointAt({ ...readerAt, http }), await checkpointAt(at));
    // One that was away meanwhile goes on; what it kept is a checkpoint by the first key.
    assert.equal(await reader.signal('SIGTERM'), 0);
    readerAt = await reader.start();
    await reaches();
    // The tools beside the log, and a pack.
    const pins = new WriterProcess({ data_dir: writer.dataFolder, signing_key_path: '', verifier_key: pinned.text });
    try {
      const verified = await pins.run('verify', '--full');
      assert.equal(verified.code, 0, verified.output);
      assert.equal((await pins.run('proof', '5')).code, 0);
      const pack = join(pins.folder, 'pack.tar');
      const made = await pins.run('report', 'soc2', '--evidence', pack, '--output', join(pins.folder, 'soc2.json'));
      assert.equal(made.code, 0, made.output);
      for (const key of linkedKeys(pinned, await notes())) {
        assert.equal((await pins.run('verify', '--from-export', pack, '--key', key.text)).code, 0);
        assert.match(verdictsOf(pack, { key: key.text }).output, /^PROVEN/);
      }
      const stranger = parseSigningKey(generateSigningKeyText('sentinel/test')).verifier.text;
      assert.equal((await pins.run('verify', '--from-export', pack, '--key', stranger)).code, 1);
      assert.equal(verdictsOf(pack, { key: stranger }).status, 1);
    } finally {
      await pins[Symbol.asyncDispose]();
    }
  });

  it('is not done by whoever may only read, and a reader says who does it', async () => {
    const client = clientOf(at.grpc);
    await assert.rejects(callUnary(client, client.rotateKey, {}), /operator/);
    client.close();
    assert.equal(readdirSync(writer.folder).includes('ledger.key.next'), false);
    assert.match(readFileSync(keyFile, 'utf8'), /^PRIVATE/);
  });

  async function notes(): Promise<{ note: string }[]> {
    const { rotations } = (await (await fetch(`http://${at.http}/api/v1/keys`)).json()) as { rotations: string[] };
    return rotations.map((note) => ({ note }));
  }
});

function opens(note: string, key: string): boolean {
  try {
    openCheckpoint(note, parseVerifierKey(key));
    return true;
  } catch (error) {
    if (error instanceof NoteError) return false;
    throw error;
  }
}

/** `verify` as an operator runs it, on folders that somebody has been at. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { generateSigningKeyText, parseSigningKey } from '../note/keys.js';
import { clientOf, commitEvents, eventOf } from '../testing/wire.js';
import { type Finished, WriterProcess } from '../testing/writer-process.js';

/** In a shell: its reader is gone, and its status is what counts. */
const UNREAD = '| true; exit $' + '{PIPESTATUS[0]}';

let writer: WriterProcess;
const at = (name: string): string => join(writer.folder, name);

async function ingest(first: number, count: number): Promise<void> {
  const client = clientOf((await writer.start()).grpc);
  const events = Array.from({ length: count }, (_, n) => eventOf(first + n));
  await commitEvents(client, { producer: 'test/1', producerEpoch: 0n, firstSequence: 0n, events });
  client.close();
  await writer.signal('SIGTERM');
}

const verify = async (): Promise<Finished> => await writer.run('verify', '--full');

before(async () => {
  writer = new WriterProcess();
  await ingest(0, 20);
  cpSync(at('ledger'), at('older'), { recursive: true });
  await ingest(100, 10);
  cpSync(at('ledger'), at('copy'), { recursive: true });
  cpSync(at('ledger.guard'), at('copy.guard'));
});
after(async () => await writer[Symbol.asyncDispose]());
beforeEach(() => {
  rmSync(at('ledger'), { recursive: true });
  cpSync(at('copy'), at('ledger'), { recursive: true });
  cpSync(at('copy.guard'), at('ledger.guard'));
});

async function isFound(what: RegExp): Promise<void> {
  const { code, output } = await verify();
  assert.equal(code, 1, output);
  assert.match(output, what);
}

describe('the status of verify', () => {
  it('is that of the configuration where the key is wrong, missing, or not there to attest', async () => {
    const other = generateSigningKeyText('sentinel/other');
    for (const args of [
      ['--override', 'signing_key_path='],
      ['--override', 'origin=sentinel/other'],
      ['--override', `verifier_key=${parseSigningKey(other).verifier.text}`],
      ['--attest', '--output', join(writer.folder, 'attestation')],
    ]) {
      const { code, output } = await writer.run('verify', '--full', ...args);
      assert.equal(code, 78, `${args.join(' ')}: ${output}`);
    }
  });

  it('is no success where the answer cannot be written, and the verdict where nobody reads on', async () => {
    const node = writer.command;
    const shell = async (tail: string): Promise<Finished> => {
      writer.command = ['bash', '-c', `"$@" ${tail}`, 'bash', ...node];
      return await writer.run('verify', '--full', '--verbose').finally(() => {
        writer.command = node;
      });
    };
    const full = await shell('> /dev/full');
    assert.equal(full.code, 69, full.output);
    assert.match(full.output, /the answer could not be written: /);
    const unread = await shell(UNREAD);
    assert.equal(unread.code, 0, unread.output);
    truncateSync(at('ledger/entries/0000000001.seg'), 200);
    assert.equal((await shell(UNREAD)).code, 1);
  });
});

describe('verify --full', () => {
  it('says ok where nothing is wrong', async () => {
    const { code, output } = await verify();
    assert.equal(code, 0, output);
    assert.match(output, /entries 0 to 30 \(31 details\)/);
  });

  it('finds that the details were removed, all or the newest', async () => {
    const segment = at('ledger/details/0000000001.seg');
    const { length } = readFileSync(segment);
    truncateSync(segment, length - 100);
    await isFound(/entry 30: detail is not what/);
    truncateSync(segment, 0);
    await isFound(/TAMPERED: 31 findings\n {2}entry 0: detail is missing/);
    rmSync(segment);
    await isFound(/TAMPERED: 31 findings/);
  });

  it('finds that the folder is an older copy', async () => {
    rmSync(at('ledger'), { recursive: true });
    cpSync(at('older'), at('ledger'), { recursive: true });
    await isFound(/entry 21: log went back from 31 to 21 entries/);
  });

  it('names a checkpoint that is damaged or gone, beside the folder or in it', async () => {
    const guard = readFileSync(at('ledger.guard'));
    guard[40] = (guard[40] ?? 0) ^ 1;
    writeFileSync(at('ledger.guard'), guard);
    await isFound(/entry 30: .*ledger\.guard: /);
    rmSync(at('ledger.guard'));
    await isFound(/TAMPERED: 1 finding\n.*ledger\.guard is missing: nothing shows/);
    cpSync(at('copy.guard'), at('ledger.guard'));
    rmSync(at('ledger/checkpoint'));
    await isFound(/TAMPERED: 1 finding\n.*checkpoint is missing; the log was verified by .*ledger\.guard/);
  });

  it('cannot say anything where the tiles cannot be read, and says so', async () => {
    rmSync(at('ledger/hashes/0'), { recursive: true });
    writeFileSync(at('ledger/hashes/0'), 'not a folder');
    assert.equal((await verify()).code, 69);
  });
});

/** The command beside a running writer, as the writer itself, and on a log that no writer can open. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { FolderSource } from '../storage/file/folder-source.js';
import { clientOf, commitEvents, eventOf, wholeTrail } from '../testing/wire.js';
import { WriterProcess } from '../testing/writer-process.js';
import { parseVerifierKey, verifyLog } from '../verify/index.js';

async function fill(writer: WriterProcess, count: number): Promise<void> {
  const { grpc } = await writer.start();
  const client = clientOf(grpc);
  for (let n = 0; n < count; n += 100) {
    const events = Array.from({ length: 100 }, (_, i) => eventOf(n + i));
    await commitEvents(client, { producer: 'test/1', producerEpoch: 0n, firstSequence: 0n, events });
  }
  client.close();
}

/** Flips a bit of what holds `text`. */
function flip(folder: string, text: string): void {
  for (const name of readdirSync(folder)) {
    const bytes = readFileSync(join(folder, name));
    const at = bytes.indexOf(text);
    if (at < 0) continue;
    bytes[at + 1] = (bytes[at + 1] ?? 0) ^ 1;
    writeFileSync(join(folder, name), bytes);
    return;
  }
  throw new Error(`${text} is nowhere`);
}

async function damagedIn(folder: string, key: string): Promise<number[]> {
  const source = await FolderSource.open(folder);
  const { findings } = await verifyLog(source, parseVerifierKey(key)).finally(() => source.close());
  return findings.map(({ seq }) => seq);
}

interface RepairEntry {
  readonly by: string;
  readonly entries: readonly (readonly [number, number])[];
  readonly left: readonly unknown[];
  readonly sources: readonly { readonly entries: readonly unknown[]; readonly from: string }[];
}

async function repairsIn(grpc: string): Promise<RepairEntry[]> {
  const client = clientOf(grpc);
  const trail = await wholeTrail(client);
  client.close();
  const details = trail.map(
    ({ detail }) => JSON.parse(Buffer.from(detail).toString()) as RepairEntry & { event: string },
  );
  return details
    .filter(({ event }) => event === 'repair')
    .map(({ by, entries, left, sources }) => ({ by, entries, left, sources }));
}

describe('repair', () => {
  it('mends a log through its running writer, from an export and from a ledger that serves it', async () => {
    await using writer = new WriterProcess();
    await fill(writer, 600);
    await writer.signal('SIGTERM');
    const backup = join(writer.folder, 'backup');
    cpSync(writer.dataFolder, backup, { recursive: true });
    cpSync(`${writer.dataFolder}.guard`, `${backup}.guard`);
    const archive = join(writer.folder, 'all.tar');
    assert.equal((await writer.run('export', '--output', archive)).code, 0);
    await using other = new WriterProcess({ data_dir: backup, signing_key_path: join(writer.folder, 'ledger.key') });
    const served = await other.start();
    const { grpc } = await writer.start();
    const places = [archive, `http://${served.http}`];
    for (const [i, place] of places.entries()) {
      flip(join(writer.dataFolder, 'details'), `"n":${310 + i},`);
      const [seq, ...others] = await damagedIn(writer.dataFolder, writer.verifierKey);
      assert.ok(seq !== undefined && others.length === 0);
      const shown = await writer.run('repair', '--from', place, '--dry-run', '--address', grpc);
      assert.equal(shown.code, 0, shown.output);
      assert.ok(
        shown.output.includes(`entry ${seq}: detail is not what the leaf committed to; ${place} has what mends it`),
        shown.output,
      );
      assert.deepEqual(await damagedIn(writer.dataFolder, writer.verifierKey), [seq]);
      const mended = await writer.run('repair', '--from', place, '--address', grpc);
      assert.equal(mended.code, 0, mended.output);
      assert.match(mended.output, new RegExp(`mended +entries ${seq}; entry \\d+ says so`));
      assert.deepEqual(await damagedIn(writer.dataFolder, writer.verifierKey), []);
      const repairs = await repairsIn(grpc);
      const range = [seq, seq];
      assert.deepEqual(repairs.at(-1), {
        by: 'operator token',
        entries: [range],
        left: [],
        sources: [{ entries: [range], from: place }],
      });
      assert.equal(repairs.length, i + 1);
    }
    const nothing = await writer.run('repair', '--from', archive, '--address', grpc);
    assert.deepEqual([nothing.code, nothing.output], [0, 'Nothing is damaged.\n']);
    assert.equal((await repairsIn(grpc)).length, 2);
  });

  it('says what nobody has, and leaves it as it is', async () => {
    await using writer = new WriterProcess();
    await fill(writer, 100);
    flip(join(writer.dataFolder, 'details'), '"n":50,');
    await writer.signal('SIGTERM');
    const shown = await writer.run('repair', '--dry-run');
    assert.match(shown.output, /damaged +entry \d+: detail is not what the leaf committed to; nobody has its detail/);
    assert.equal(shown.code, 1);
    const done = await writer.run('repair');
    assert.match(done.output, /NOT MENDED entry \d+/);
    assert.equal(done.code, 1);
    const strange = await writer.run('repair', '--from', writer.folder);
    assert.match(strange.output, /is no copy of a log/);
    assert.equal(strange.code, 2);
  });

  it('mends a log that no writer can open, and the next one records it', async () => {
    await using writer = new WriterProcess();
    await fill(writer, 200);
    await writer.signal('SIGTERM');
    const backup = join(writer.folder, 'backup');
    cpSync(writer.dataFolder, backup, { recursive: true });
    flip(join(writer.dataFolder, 'entries'), 'test/1');
    const refused = await writer.start().then(
      () => '',
      (error: unknown) => String(error),
    );
    assert.match(refused, /repair --from COPY/);
    const shown = await writer.run('repair', '--from', backup, '--dry-run');
    assert.equal(shown.code, 0, shown.output);
    assert.ok(!existsSync(`${writer.dataFolder}.repair`));
    const mended = await writer.run('repair', '--from', backup);
    assert.equal(mended.code, 0, mended.output);
    assert.match(mended.output, /mended +entries \d+/);
    assert.ok(!existsSync(`${writer.dataFolder}.repair`));
    const { grpc } = await writer.start();
    const [repair, ...more] = await repairsIn(grpc);
    assert.deepEqual([repair?.sources[0]?.from, repair?.left, more], [backup, [], []]);
    assert.equal((await writer.run('verify', '--full')).code, 0);
  });
});

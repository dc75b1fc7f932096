import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, type FileHandle, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { SentinelError } from '../errors.js';
import { nodeFiles, type SegmentFiles, SegmentLog, segmentPath } from './index.js';

let root: string;
let next = 0;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'segment-log-'));
});
after(() => rm(root, { recursive: true }));

const open = (dir: string, extra: { maxSegmentBytes?: number; files?: SegmentFiles } = {}): Promise<SegmentLog> =>
  SegmentLog.open({ dir, maxSegmentBytes: 1 << 20, maxRecordBytes: 1 << 16, ...extra });
const freshDir = (): string => {
  next += 1;
  return join(root, String(next));
};
const bytes = (text: string): Buffer => Buffer.from(text);

async function contents(log: SegmentLog): Promise<string[]> {
  const seen: string[] = [];
  for await (const { record } of log.read()) seen.push(record.toString());
  return seen;
}

describe('segment log', () => {
  test('damage before the known durable end is an error and is left as it was', async () => {
    const dir = freshDir();
    const log = await open(dir);
    await log.append([bytes('first'), bytes('second')]);
    const durableEnd = log.end;
    await log.close();
    await truncate(segmentPath(dir, 1), durableEnd.offset - 1);
    const again = SegmentLog.open({ dir, maxSegmentBytes: 1 << 20, maxRecordBytes: 1 << 16, durableEnd });
    await assert.rejects(again, /was durable is not whole/);
    assert.equal((await readFile(segmentPath(dir, 1))).length, durableEnd.offset - 1);
    const missing = SegmentLog.open({
      dir,
      maxSegmentBytes: 1 << 20,
      maxRecordBytes: 1 << 16,
      durableEnd: { segment: 2, offset: 8 },
    });
    await assert.rejects(missing, /is missing/);
  });

  test('keeps records in order over segments and restarts, and finds each by its position', async () => {
    const dir = freshDir();
    const records = Array.from({ length: 500 }, (_, i) => bytes(`record ${i} ${'x'.repeat(i % 97)}`));
    let log = await open(dir, { maxSegmentBytes: 4_000 });
    const positions = (await Promise.all(records.map((record) => log.append([record])))).flat();
    await log.append([bytes('one'), bytes('two')]);
    await log.close();
    log = await open(dir, { maxSegmentBytes: 4_000 });
    assert.deepEqual(await contents(log), [...records.map(String), 'one', 'two']);
    for (const [i, position] of positions.entries())
      assert.equal(String(await log.readAt(position)), String(records[i]));
    await log.append([bytes('after')]);
    assert.equal((await contents(log)).at(-1), 'after');
    await log.close();
  });

  test('drops whole old segments only', async () => {
    const log = await open(freshDir(), { maxSegmentBytes: 100 });
    const positions = [];
    for (let i = 0; i < 30; i += 1) positions.push(...(await log.append([bytes(`record ${i} ........`)])));
    const keep = positions[17];
    assert.ok(keep);
    const before = log.bytes;
    await log.dropBefore(keep);
    assert.ok(log.bytes < before);
    const left = await contents(log);
    assert.ok(left.includes('record 17 ........') && !left.includes('record 3 ........'));
    await log.close();
  });

  test('a tail torn at any byte costs only the record that was being written', async () => {
    const dir = freshDir();
    let log = await open(dir);
    await log.append([bytes('first'), bytes('second')]);
    const whole = log.end.offset;
    await log.append([bytes('the torn one')]);
    const full = log.end.offset;
    await log.close();
    for (let cut = full - 1; cut >= whole; cut -= 1) {
      await truncate(segmentPath(dir, 1), cut);
      log = await open(dir);
      assert.deepEqual(await contents(log), ['first', 'second'], `cut at ${cut}`);
      await log.append([bytes('the torn one')]);
      await log.close();
    }
    await appendFile(segmentPath(dir, 1), Buffer.alloc(64));
    log = await open(dir);
    assert.deepEqual(await contents(log), ['first', 'second', 'the torn one']);
    await log.close();
  });

  test('any flipped bit is found and never served', async () => {
    const dir = freshDir();
    const log = await open(dir);
    const positions = await log.append(['alpha', 'beta', 'gamma', 'delta'].map(bytes));
    const lastRecord = positions.at(-1)?.offset ?? 0;
    await log.close();
    const good = await readFile(segmentPath(dir, 1));
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length * 8 - 1), async (bit) => {
        const bad = Buffer.from(good);
        bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        await writeFile(segmentPath(dir, 1), bad);
        const seen = await open(dir).then(
          async (opened) => {
            try {
              return await contents(opened);
            } finally {
              await opened.close();
            }
          },
          (error: unknown) => SentinelError.from(error),
        );
        // Only damage of the last record may be taken for a write that was cut short.
        if (bit >> 3 < lastRecord) assert.equal(seen instanceof SentinelError && seen.code, 'DATA_LOSS');
        else if (!(seen instanceof SentinelError)) assert.deepEqual(seen, ['alpha', 'beta', 'gamma']);
      }),
      { numRuns: 300 },
    );
  });

  test('damage in an older segment is found when it is read, and costs no other segment', async () => {
    const dir = freshDir();
    let log = await open(dir, { maxSegmentBytes: 64 });
    const positions = [];
    for (const text of ['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta'])
      positions.push(...(await log.append([bytes(text.repeat(5))])));
    const [first] = positions;
    const last = positions.at(-1);
    assert.ok(first && last && last.segment > first.segment);
    await log.close();
    const file = segmentPath(dir, first.segment);
    const content = await readFile(file);
    content[first.offset + 10] = (content[first.offset + 10] ?? 0) ^ 4;
    await writeFile(file, content);
    log = await open(dir, { maxSegmentBytes: 64 });
    await assert.rejects(
      contents(log),
      (error: unknown) => error instanceof SentinelError && error.code === 'DATA_LOSS',
    );
    await assert.rejects(
      log.readAt(first),
      (error: unknown) => error instanceof SentinelError && error.message.includes(file),
    );
    assert.equal(String(await log.readAt(last)), 'zeta'.repeat(5));
    await log.close();
  });

  test('a second opener is turned away with a sentence', async () => {
    const dir = freshDir();
    const log = await open(dir);
    await assert.rejects(
      open(dir),
      (error: unknown) => error instanceof SentinelError && /another process uses/.test(error.message),
    );
    await log.close();
    await (await open(dir)).close();
  });

  test('a full disk refuses what it cannot keep and goes on when there is room again', async () => {
    let full = false;
    const files: SegmentFiles = {
      ...nodeFiles,
      open: async (dir, segment, flags) =>
        failing(await nodeFiles.open(dir, segment, flags), 'writev', () => full, 'ENOSPC'),
    };
    const log = await open(freshDir(), { files });
    await log.append([bytes('kept')]);
    full = true;
    await assert.rejects(
      log.append([bytes('lost')]),
      (error: unknown) => error instanceof SentinelError && error.reason === 'DISK_FULL',
    );
    full = false;
    await log.append([bytes('kept too')]);
    assert.deepEqual(await contents(log), ['kept', 'kept too']);
    await log.close();
  });

  test('what waits for the disk is bounded; what was taken is kept', async () => {
    const dir = freshDir();
    const log = await SegmentLog.open({ dir, maxSegmentBytes: 1 << 28, maxRecordBytes: 1 << 23 });
    const record = Buffer.alloc(1 << 23, 'x');
    const outcomes = await Promise.allSettled(Array.from({ length: 14 }, () => log.append([record])));
    const refused = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [SentinelError.from(outcome.reason)] : [],
    );
    assert.ok(refused.length > 0 && refused.length < 6, `${refused.length} were refused`);
    assert.ok(refused.every(({ code, reason }) => code === 'RESOURCE_EXHAUSTED' && reason === 'OVERLOADED'));
    let kept = 0;
    for await (const { record: read } of log.read()) kept += read.length === record.length ? 1 : 0;
    assert.equal(kept + refused.length, outcomes.length);
    await log.append([record]);
    await log.close();
  });

  test('after a failed fsync nothing more is accepted', async () => {
    let broken = false;
    let syncs = 0;
    const files: SegmentFiles = {
      ...nodeFiles,
      open: async (dir, segment, flags) =>
        failing(await nodeFiles.open(dir, segment, flags), 'datasync', () => ++syncs > 1 && broken, 'EIO'),
    };
    const log = await open(freshDir(), { files });
    await log.append([bytes('kept')]);
    broken = true;
    const waiting = [log.append([bytes('unknown')]), log.append([bytes('behind it')])];
    for (const append of waiting) await assert.rejects(append, /takes nothing more/);
    broken = false;
    await assert.rejects(log.append([bytes('refused')]), /takes nothing more/);
    assert.equal(syncs, 2);
    assert.deepEqual(await contents(log), ['kept']);
    await log.close();
  });

  test('everything acknowledged survives kill -9 of the writer', async () => {
    const dir = freshDir();
    const script = `
      import { SegmentLog } from ${JSON.stringify(new URL('./index.js', import.meta.url).href)};
      const log = await SegmentLog.open({ dir: ${JSON.stringify(dir)}, maxSegmentBytes: 20_000, maxRecordBytes: 65_536 });
      let n = 0; for await (const _ of log.read()) n += 1;
      for (;;) { await log.append([Buffer.from('record ' + n)]); process.stdout.write(n + '\\n'); n += 1; }`;
    let acknowledged = -1;
    for (let round = 0; round < 5; round += 1) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let lines = 0;
      child.stdout.on('data', (chunk: Buffer) => {
        for (const line of chunk.toString().split('\n').slice(0, -1))
          acknowledged = Math.max(acknowledged, Number(line));
        lines += 1;
        if (lines > 20 + round * 7) child.kill('SIGKILL');
      });
      await once(child, 'close');
    }
    const log = await open(dir);
    const seen = await contents(log);
    assert.ok(acknowledged > 50 && seen.length > acknowledged);
    assert.deepEqual(
      seen,
      seen.map((_, i) => `record ${i}`),
    );
    await log.close();
  });
});

/** The handle with one method that fails on demand. */
function failing(handle: FileHandle, method: 'writev' | 'datasync', when: () => boolean, code: string): FileHandle {
  return new Proxy(handle, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        if (name === method && when()) return Promise.reject(Object.assign(new Error(code), { code }));
        return Reflect.apply(value, target, args) as unknown;
      };
    },
  });
}

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { silentLogger } from '@sentinel/service-kit/logging';
import { FileHistory } from './file-history.js';
import type { HistoryRecord } from './history-record.js';

const SEGMENT_BYTES = 4096;

describe('history in files', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'sentinel-history-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const open = (): Promise<FileHistory> => FileHistory.open(dir, silentLogger(), SEGMENT_BYTES);
  const record = (sequence: number, fields: Partial<HistoryRecord> = {}): HistoryRecord => ({
    node: 'n',
    spoolId: 'ab'.repeat(16),
    sequence,
    commitSeq: sequence + 100,
    nowUs: sequence * 1000,
    offsetUs: 0,
    devices: [sequence % 2 === 0 ? 'even' : 'odd'],
    payload: Buffer.alloc(100, sequence),
    ...fields,
  });
  const fill = async (history: FileHistory, from: number, to: number): Promise<void> => {
    for (let sequence = from; sequence <= to; sequence += 1) await history.append([record(sequence)]);
  };
  const sequences = async (history: FileHistory, device: string, startUs = 0, limit = 1000): Promise<number[]> => {
    const found: number[] = [];
    for await (const entry of history.read(device, startUs, null)) {
      found.push(entry.record.sequence);
      if (found.length === limit) break;
    }
    return found;
  };
  const down = (from: number, to: number): number[] =>
    Array.from({ length: (from - to) / 2 + 1 }, (_, i) => from - 2 * i);

  it('finds the records of a device, newest first, over many segments', async () => {
    const history = await open();
    await fill(history, 1, 100);
    assert.ok(readdirSync(dir).filter((name) => name.endsWith('.idx')).length >= 4);
    assert.deepEqual(await sequences(history, 'even'), down(100, 2));
    assert.deepEqual(await sequences(history, 'odd', 50_000), down(99, 51));
    assert.deepEqual(await sequences(history, 'none'), []);
    await history.close();
  });

  it('goes on where a page ended', async () => {
    const history = await open();
    await fill(history, 1, 60);
    const entries = [];
    for await (const entry of history.read('odd', 0, null)) entries.push(entry);
    const tenth = entries[9];
    assert.ok(tenth);
    const rest: number[] = [];
    for await (const entry of history.read('odd', 0, tenth.at)) rest.push(entry.record.sequence);
    assert.deepEqual(
      rest,
      entries.slice(10).map((entry) => entry.record.sequence),
    );
    await history.close();
  });

  it('knows after a restart what is durable, from the files alone', async () => {
    const first = await open();
    await fill(first, 1, 100);
    await first.close();
    const second = await open();
    assert.equal(second.archivedThrough('n', 'ab'.repeat(16)), 100);
    assert.equal(second.archivedThrough('n', 'cd'.repeat(16)), 0);
    assert.deepEqual(await sequences(second, 'even'), down(100, 2));
    await fill(second, 101, 120);
    assert.deepEqual(await sequences(second, 'even'), down(120, 2));
    await second.close();
  });

  it('makes lost and damaged index files again', async () => {
    const first = await open();
    await fill(first, 1, 100);
    await first.close();
    const indexes = readdirSync(dir)
      .filter((name) => name.endsWith('.idx'))
      .sort();
    for (const [i, name] of indexes.entries()) {
      if (i % 2 === 0) rmSync(join(dir, name));
      else writeFileSync(join(dir, name), '{"half":');
    }
    const second = await open();
    assert.equal(second.archivedThrough('n', 'ab'.repeat(16)), 100);
    assert.deepEqual(await sequences(second, 'odd'), down(99, 1));
    await second.close();
    assert.deepEqual(
      readdirSync(dir)
        .filter((name) => name.endsWith('.idx'))
        .sort(),
      indexes,
    );
  });

  it('gives back what was stored', async () => {
    const history = await open();
    const stored = record(7, { node: 'nöde', devices: ['even', 'odd'] });
    await history.append([stored]);
    for await (const entry of history.read('even', 0, null))
      assert.deepEqual({ ...entry.record, payload: Buffer.from(entry.record.payload) }, stored);
    await history.close();
  });
});

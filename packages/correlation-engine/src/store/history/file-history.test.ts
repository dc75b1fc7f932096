import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { silentLogger } from '@sentinel/service-kit/logging';
import { FileHistory } from './file-history.js';
import { record } from './testing/contract.js';

const SEGMENT_BYTES = 4096;

describe('history in files', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'sentinel-history-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const open = (): Promise<FileHistory> => FileHistory.open(dir, silentLogger(), SEGMENT_BYTES);
  const fill = async (history: FileHistory, from: number, to: number): Promise<void> => {
    for (let sequence = from; sequence <= to; sequence += 1) await history.append([record(sequence)]);
  };
  const sequences = async (history: FileHistory, device: string): Promise<number[]> => {
    const found: number[] = [];
    for await (const entry of history.read(device, 0, null)) found.push(entry.record.sequence);
    return found;
  };
  const down = (from: number, to: number): number[] =>
    Array.from({ length: (from - to) / 2 + 1 }, (_, i) => from - 2 * i);

  it('reads over many segments, and knows from them alone what is durable', async () => {
    const first = await open();
    await fill(first, 1, 100);
    assert.ok(readdirSync(dir).filter((name) => name.endsWith('.idx')).length >= 4);
    await first.close();
    const second = await open();
    assert.equal(second.archivedThrough('n', 'ab'.repeat(16)), 100);
    assert.deepEqual(await sequences(second, 'odd'), down(99, 1));
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
});

/** An export of a whole log is recomputed by Python's standard library, which finds what was altered. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { fillLog, WriterProcess } from '@sentinel/audit-ledger/testing';
import { type Outcome, runProgram } from '../harness/cli.js';
import { INTEROP } from '../harness/paths.js';

const ENTRIES = 3000;

const recompute = (place: string): Promise<Outcome> =>
  runProgram('python3', [join(INTEROP, 'verify_ledger.py'), pathToFileURL(place).href]);

describe('recomputed by Python', () => {
  it('an export, and one of which an entry or a hash was altered', async () => {
    await using ledger = new WriterProcess();
    await fillLog(ledger, ENTRIES);
    const place = join(ledger.folder, 'export');
    const { code, output } = await ledger.run('export', '--output', place);
    assert.equal(code, 0, output);
    const intact = await recompute(place);
    assert.equal(intact.code, 0, intact.stdout);
    assert.ok((JSON.parse(intact.stdout) as { entries: number }).entries >= ENTRIES);
    for (const [path, why] of [
      ['tile/entries/003', /entry 769: does not link|do not lead/],
      ['tile/0/003', /hash tile 0\/3/],
    ] as const) {
      const file = join(place, path);
      const bytes = readFileSync(file);
      writeFileSync(file, Buffer.from(bytes).fill((bytes[40] ?? 0) ^ 1, 40, 41));
      const altered = await recompute(place);
      assert.equal(altered.code, 1, altered.stdout);
      assert.match(altered.stdout, why);
      writeFileSync(file, bytes);
    }
  });
});

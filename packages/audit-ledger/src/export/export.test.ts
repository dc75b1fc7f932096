/** A range of a log as a file or a folder that proves itself, and every single bit of which is held to account. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { openArchive } from '../archive/reader.js';
import { MalformedTarError } from '../archive/tar.js';
import { generateSigningKeyText, parseSigningKey } from '../note/keys.js';
import { exportOf, logOfSize } from '../testing/exports.js';
import { TEST_KEY } from '../testing/ledgers.js';
import { type ExportReport, verifyExport } from './verify-export.js';

const SIZE = 700;
let log: string;
before(async () => {
  log = await logOfSize(SIZE, 90);
});

async function verified(path: string, key = TEST_KEY.verifier): Promise<ExportReport> {
  const archive = await openArchive(path);
  try {
    return await verifyExport(archive, key);
  } finally {
    await archive.close();
  }
}

/** As a damaged tar file is found: while it is opened or behind that. */
async function refusal(path: string): Promise<ExportReport['findings']> {
  try {
    return (await verified(path)).findings;
  } catch (error) {
    if (error instanceof MalformedTarError) return [{ what: error.message }];
    throw error;
  }
}

function filesOf(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

/** What is found once `change` was made to a file of a folder. */
async function changed(
  folder: string,
  path: string,
  change: (bytes: Buffer) => Buffer,
): Promise<ExportReport['findings']> {
  const file = join(folder, path);
  const intact = readFileSync(file);
  writeFileSync(file, change(Buffer.from(intact)));
  try {
    return (await verified(folder)).findings;
  } finally {
    writeFileSync(file, intact);
  }
}

function flip(bytes: Buffer, at: number, bit = 0): Buffer {
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
  return bytes;
}

describe('an export', () => {
  it('of the whole log verifies, as a folder and as a tar file', async () => {
    for (const name of ['export', 'export.tar']) {
      const report = await verified(await exportOf(log, {}, name));
      assert.deepEqual([report.findings, report.manifest?.last, report.manifest?.details], [[], SIZE - 1, SIZE]);
    }
  });

  it('of any range of a log of any size verifies', async () => {
    const sizes = [1, 2, 255, 256, 257, 511, 512, 513];
    const logs = new Map<number, string>();
    for (const size of sizes) logs.set(size, await logOfSize(size));
    const range = fc
      .constantFrom(...sizes)
      .chain((size) => fc.tuple(fc.constant(size), fc.nat(size - 1), fc.nat(size - 1)));
    await fc.assert(
      fc.asyncProperty(range, async ([size, a, b]) => {
        const [first, last] = [Math.min(a, b), Math.max(a, b)];
        const report = await verified(await exportOf(logs.get(size) ?? '', { first, last }, 'export.tar'));
        assert.deepEqual(report.findings, []);
        assert.equal(report.manifest?.details, last - first + 1);
      }),
      { numRuns: 40 },
    );
  });

  it('under another key is not believed', async () => {
    const other = parseSigningKey(generateSigningKeyText('sentinel/test')).verifier;
    const { ok, findings } = await verified(await exportOf(log), other);
    assert.ok(!ok);
    assert.match(findings[0]?.what ?? '', /no signature by sentinel\/test/);
  });

  it('of which any bit is flipped, added or cut off is found out, as a tar file', async () => {
    const path = await exportOf(log, { first: 300, last: 303 }, 'export.tar');
    const intact = readFileSync(path);
    assert.deepEqual(await refusal(path), []);
    await fc.assert(
      fc.asyncProperty(fc.nat(intact.length - 1), fc.nat(7), async (at, bit) => {
        writeFileSync(path, flip(Buffer.from(intact), at, bit));
        assert.notDeepEqual(await refusal(path), [], `bit ${bit} of byte ${at}`);
      }),
      { numRuns: 300 },
    );
    for (const bytes of [
      intact.subarray(0, -1),
      intact.subarray(0, -512),
      Buffer.concat([intact, Buffer.alloc(512)]),
    ]) {
      writeFileSync(path, bytes);
      assert.notDeepEqual(await refusal(path), []);
    }
  });
});

describe('where an export is altered, the finding names', () => {
  let folder: string;
  before(async () => {
    folder = await exportOf(log, { first: 260, last: 600 });
  });

  it('the entry of an altered leaf', async () => {
    const path = 'tile/entries/001';
    const bundle = readFileSync(join(folder, path));
    const leafBytes = bundle.readUInt16BE(0) + 2;
    for (const seq of [256, 300, 511]) {
      const findings = await changed(folder, path, (bytes) => flip(bytes, (seq - 256) * leafBytes + 40));
      assert.deepEqual([...new Set(findings.map((finding) => finding.seq))], [seq]);
    }
  });

  it('the entry of an altered detail or salt', async () => {
    const lines = readFileSync(join(folder, 'details/001.jsonl'), 'utf8').split('\n');
    const at = lines.slice(0, 40).join('\n').length + 1;
    for (const text of ['"n":', '"salt":"', '"seq":']) {
      const place = at + (lines[40] ?? '').indexOf(text) + text.length;
      const findings = await changed(folder, 'details/001.jsonl', (bytes) => flip(bytes, place, 1));
      assert.ok(
        findings.length > 0 && findings.every(({ seq = 0 }) => Math.abs(seq - 300) <= 1),
        `${text}: ${JSON.stringify(findings)}`,
      );
    }
  });

  it('the entry of a hash in a level-0 tile, and the entries under one above', async () => {
    const low = await changed(folder, 'tile/0/001', (bytes) => flip(bytes, 32 * 44 + 5));
    assert.deepEqual(
      low.map(({ seq }) => seq),
      [300],
    );
    const high = await changed(folder, 'tile/1/000.p/2', (bytes) => flip(bytes, 32 + 5));
    assert.deepEqual(
      high.map(({ seq }) => seq),
      [256],
    );
    const root = await changed(folder, 'tile/1/000.p/2', (bytes) => flip(bytes, 5));
    assert.match(root[0]?.what ?? '', /do not add up to the root/);
  });

  it('entries that were swapped', async () => {
    const findings = await changed(folder, 'tile/entries/001', (bytes) => {
      const length = bytes.readUInt16BE(0) + 2;
      const [a, b] = [bytes.subarray(length * 10, length * 11), bytes.subarray(length * 11, length * 12)];
      return Buffer.concat([bytes.subarray(0, length * 10), b, a, bytes.subarray(length * 12)]);
    });
    assert.deepEqual([...new Set(findings.map(({ seq }) => seq))], [266, 267]);
  });

  it('what is missing or does not belong', async () => {
    for (const path of filesOf(folder)) {
      const intact = readFileSync(path);
      rmSync(path);
      assert.ok(!(await verified(folder)).ok, `${path} removed`);
      writeFileSync(path, intact);
    }
    mkdirSync(join(folder, 'more'));
    writeFileSync(join(folder, 'more/file'), '');
    assert.deepEqual((await verified(folder)).findings, [{ what: 'more/file does not belong to the export' }]);
    rmSync(join(folder, 'more'), { recursive: true });
    assert.ok((await verified(folder)).ok);
    const listed = await exportOf(log, {}, 'export', [{ path: 'summary.pdf', bytes: Buffer.from('all is well') }]);
    assert.deepEqual((await verified(listed)).findings, [{ what: 'summary.pdf does not belong to the export' }]);
  });

  it('what is said to be pruned and was not', async () => {
    const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as { details: number };
    const withheld = { ...manifest, details: manifest.details - 1, missing_details: [[300, 300]] };
    const file = join(folder, 'details/001.jsonl');
    const [intact, line] = [readFileSync(file, 'utf8'), /{"seq":300,.*\n/];
    writeFileSync(file, intact.replace(line, ''));
    const findings = await changed(folder, 'manifest.json', () =>
      Buffer.from(`${JSON.stringify(withheld, null, 1)}\n`),
    );
    writeFileSync(file, intact);
    assert.deepEqual(findings, [{ seq: 300, what: 'detail is WITHHELD: no pruning that the log announced took it' }]);
    for (const bit of [0, 1, 2, 3]) {
      const before = await changed(folder, 'manifest.json', (bytes) =>
        flip(bytes, bytes.indexOf('"pruned_leaves_end": 0') + '"pruned_leaves_end": '.length, bit),
      );
      assert.match(before[0]?.what ?? '', /states that entries were pruned, which the log did not announce/);
    }
  });
});

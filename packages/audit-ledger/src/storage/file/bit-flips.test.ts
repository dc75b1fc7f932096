/** Any flipped bit in any file of a log is found by a full verification, and the entry that it is in is named. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { FRAME_HEADER_BYTES, SEGMENT_HEADER } from '@sentinel/service-kit/segment-log';
import { RECORD_HEADER_BYTES } from '../../commit/record.js';
import { draftOf, freshFolder, openTestLedger, requestOf, TEST_KEY } from '../../testing/ledgers.js';
import { type VerifyReport, verifyLog } from '../../verify/verify-log.js';
import { FolderSource } from './folder-source.js';

/** Entries of the commits of the log under test; the first is the genesis. */
const COMMITS = [1, 2, 1];
const ENTRIES = COMMITS.reduce((sum, count) => sum + count);

interface Place {
  /** Seqs that a finding may name. */
  readonly seqs: readonly number[];
}

let folder: string;
before(async () => {
  folder = freshFolder();
  const opened = await openTestLedger(folder);
  for (const count of COMMITS.slice(1))
    await opened.ledger.ingest(requestOf(Array.from({ length: count }, (_, n) => draftOf(n))));
  await opened.close();
});

async function verifyFolder(): Promise<VerifyReport> {
  const source = await FolderSource.open(folder);
  return await verifyLog(source, TEST_KEY.verifier).finally(() => source.close());
}

/** Flips each bit of a file in turn. */
async function flipAll(
  file: string,
  step: number,
  check: (report: VerifyReport | Error, bit: number) => void,
): Promise<number> {
  const intact = readFileSync(file);
  let flipped = 0;
  try {
    for (let bit = 0; bit < intact.length * 8; bit += step) {
      const bytes = Buffer.from(intact);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      writeFileSync(file, bytes);
      check(await verifyFolder().catch((error: Error) => error), bit);
      flipped += 1;
    }
  } finally {
    writeFileSync(file, intact);
  }
  return flipped;
}

/** Which entries a byte of a record log belongs to: one for an item, those of the commit for what frames it. */
function placesOf(file: string, lengthBytes: number): Place[] {
  const bytes = readFileSync(file);
  const places: Place[] = Array.from({ length: SEGMENT_HEADER.length }, () => ({ seqs: [0] }));
  let seq = 0;
  for (const count of COMMITS) {
    const seqs = Array.from({ length: count }, (_, i) => seq + i);
    for (let i = 0; i < FRAME_HEADER_BYTES + RECORD_HEADER_BYTES; i += 1) places.push({ seqs });
    for (const each of seqs) {
      const length = lengthBytes + bytes.readUIntBE(places.length, lengthBytes);
      for (let i = 0; i < length; i += 1) places.push({ seqs: [each] });
    }
    seq += count;
  }
  assert.equal(places.length, bytes.length);
  return places;
}

describe('a flipped bit', () => {
  it('is not there to begin with', async () => {
    const report = await verifyFolder();
    assert.deepEqual(report.findings, []);
    assert.deepEqual([report.entries, report.details], [ENTRIES, ENTRIES]);
  });

  for (const [log, lengthBytes] of [
    ['entries', 2],
    ['details', 4],
  ] as const) {
    it(`in ${log} is located`, async () => {
      const file = join(folder, log, '0000000001.seg');
      const places = placesOf(file, lengthBytes);
      await flipAll(file, 1, (report, bit) => {
        assert.ok(!(report instanceof Error), String(report));
        const { seqs } = places[bit >> 3] ?? { seqs: [] };
        assert.ok(!report.ok, `bit ${bit} (entry ${seqs}) is not found`);
        const named = new Set(report.findings.map(({ seq }) => seq));
        for (const seq of named)
          assert.ok(
            seqs.includes(seq),
            `bit ${bit} is in entry ${seqs}, not ${seq}: ${JSON.stringify(report.findings)}`,
          );
      });
    });
  }

  it('in a hash tile is located', async () => {
    await flipAll(join(folder, 'hashes', '0', '0000000000'), 5, (report, bit) => {
      assert.ok(!(report instanceof Error), String(report));
      assert.deepEqual(Array.from(new Set(report.findings.map(({ seq }) => seq))), [bit >> 8], `bit ${bit}`);
    });
  });

  it('in head, checkpoint or commit table is found', async () => {
    const heads = readdirSync(join(folder, 'head')).map((name) => join('head', name));
    for (const name of [...heads, 'checkpoint', 'commits']) {
      await flipAll(join(folder, name), name === 'commits' ? 1 : 3, (report, bit) => {
        assert.ok(report instanceof Error || !report.ok, `${name}: bit ${bit}`);
      });
    }
  });

  it('was in every file that there is', () => {
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      statSync(join(folder, name)).isFile(),
    );
    const known = /^(entries|details)\/0000000001\.seg$|^hashes\/0\/0{10}$|^head\/\d{16}$|^checkpoint$|^commits$/;
    assert.deepEqual(
      files.filter((name) => !known.test(name)),
      [],
    );
  });
});

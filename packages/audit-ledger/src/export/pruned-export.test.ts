/** What is exported and reported of a log of which much was pruned: what is left, proved, and what is gone, counted. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { openArchive } from '../archive/reader.js';
import { fileBackend } from '../storage/file/file-backend.js';
import { AgedLedger, DAY_US, FIRST_DAY_US } from '../testing/aged-ledger.js';
import { evidenceOf } from '../testing/exports.js';
import { freshFolder, TEST_KEY } from '../testing/ledgers.js';
import { verdictsOf } from '../testing/offline.js';
import { rangeOf } from './period.js';
import { type ExportReport, verifyExport } from './verify-export.js';

const PER_DAY = 300;
const DAYS = 8;

let folder: string;
before(async () => {
  folder = freshFolder();
  const aged = await AgedLedger.open(folder);
  await aged.grow(DAYS, PER_DAY);
  await aged.prune(6, 4);
  await aged.seal();
  await aged.opened.close();
});

async function verified(path: string): Promise<ExportReport> {
  const archive = await openArchive(path);
  return await verifyExport(archive, TEST_KEY.verifier).finally(() => archive.close());
}

describe('a log of which entries and details were pruned', () => {
  it('is exported and reported with what is left, and seals count what is gone', async () => {
    for (const first of [0, 400, 1300, 2000]) {
      const { path, files } = await evidenceOf(folder, 'soc2', 'pack', { range: { first } });
      const { findings, manifest } = await verified(path);
      assert.deepEqual(findings, []);
      const { entries, seals } = files.report;
      assert.equal(entries.details_missing, entries.total - (manifest?.details ?? 0));
      assert.equal(seals.agree, seals.inside);
      const { status, output } = verdictsOf(path);
      assert.equal(status, 0, output);
    }
  });

  it('says how many entries are counted by seals alone', async () => {
    const { path, files } = await evidenceOf(folder, 'soc2', 'pack.tar');
    const { entries } = files.report;
    assert.ok(entries.leaves_pruned > 3 * PER_DAY, String(entries.leaves_pruned));
    assert.equal(entries.by_type.decision?.pruned, entries.leaves_pruned);
    assert.equal((entries.by_type.decision?.entries ?? 0) + entries.leaves_pruned, DAYS * PER_DAY);
    assert.match(
      verdictsOf(path).output,
      new RegExp(
        `what ${entries.leaves_pruned} pruned entries said: ${entries.leaves_pruned} are counted by seals alone`,
      ),
    );
  });

  it('is refused where a leaf that was kept is altered, or one more is taken away with its count', async () => {
    const { path } = await evidenceOf(folder, 'soc2');
    const file = join(path, 'kept/001.jsonl');
    const intact = readFileSync(file, 'utf8');
    const seq = Number(/"seq":(\d+)/.exec(intact)?.[1]);
    writeFileSync(file, intact.replace(/"leaf":"0106/, '"leaf":"0105'));
    assert.deepEqual([...new Set((await verified(path)).findings.map((finding) => finding.seq))], [seq]);
    assert.match(verdictsOf(path).output, new RegExp(`entry ${seq} was altered`));
    writeFileSync(file, intact.slice(intact.indexOf('\n') + 1));
    assert.equal(verdictsOf(path).status, 1);
  });

  it('is looked up by time as far as what was kept tells', async () => {
    const source = await fileBackend({ directory: folder }).openSource();
    const day = (n: number): string => new Date((FIRST_DAY_US + n * DAY_US) / 1000).toISOString();
    const size = Number((await source.checkpoint()).split('\n')[1]);
    const first = async (n: number): Promise<number> =>
      (await rangeOf({ from: day(n), to: undefined }, source, size)).first;
    const found = [await first(0), await first(2), await first(6), await first(7)];
    await source.close();
    const perDay = PER_DAY + 1;
    assert.deepEqual(found, [0, 1 + 2 * perDay, 1 + 6 * perDay, 1 + 7 * perDay]);
  });
});

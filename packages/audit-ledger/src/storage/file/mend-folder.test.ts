/** Any flipped bit of the stored fields of a folder is put back, byte for byte, out of a copy and, where the log says it twice, out of itself. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { BLOCK_ENTRIES, IndexBlock } from '../../index/block.js';
import { LeafType } from '../../leaf/leaf.js';
import { type OpenCopy, openCopy } from '../../repair/copies.js';
import { RepairJournal } from '../../repair/journal.js';
import { Repairer, type RepairOutcome } from '../../repair/repairer.js';
import { draftOf, freshFolder, openTestLedger, requestOf, TEST_KEY } from '../../testing/ledgers.js';
import { Turns } from '../../turns.js';
import { verifyLog } from '../../verify/verify-log.js';
import { fileBackend } from './file-backend.js';
import { FolderSource } from './folder-source.js';

const COMMITS = [2, 1, 5];
/** Every so many bits one is flipped: each bit of a byte has its turn, and each byte of a few entries. */
const STEP = 151;

let folder: string;
let backup: string;
let copy: OpenCopy;
before(async () => {
  folder = freshFolder();
  backup = `${folder}.backup`;
  const opened = await openTestLedger(folder);
  for (const [i, count] of COMMITS.entries())
    await opened.ledger.ingest(requestOf(Array.from({ length: count }, (_, n) => draftOf(10 * i + n))));
  await opened.close();
  cpSync(folder, backup, { recursive: true });
  copy = await openCopy(backup);
});

function repairer(): Repairer {
  return new Repairer({
    backend: fileBackend({ directory: folder }),
    key: TEST_KEY.verifier,
    turns: new Turns(),
    journal: new RepairJournal(`${folder}.repair`),
    nowUs: () => 1,
    randomBytes,
    record: () => Promise.resolve(9),
    repaired: () => undefined,
  });
}

async function isIntact(): Promise<boolean> {
  const source = await FolderSource.open(folder);
  return (await verifyLog(source, TEST_KEY.verifier).finally(() => source.close())).ok;
}

async function afterDamage(file: string, damage: (path: string) => void): Promise<RepairOutcome> {
  const intact = readFileSync(join(folder, file));
  damage(join(folder, file));
  assert.equal(await isIntact(), false, file);
  const outcome = await repairer().repair([copy], 'tester');
  assert.deepEqual(outcome.left, [], file);
  assert.ok(readFileSync(join(folder, file)).equals(intact), file);
  assert.ok(await isIntact());
  return outcome;
}

function flip(path: string, bit: number): void {
  const bytes = readFileSync(path);
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  writeFileSync(path, bytes);
}

describe('a flipped bit', () => {
  for (const file of ['entries/0000000001.seg', 'details/0000000001.seg', 'hashes/0/0000000000', 'commits'])
    it(`in ${file} is put back`, async () => {
      const bits = readFileSync(join(folder, file)).length * 8;
      for (let bit = 0; bit < bits; bit += STEP) {
        const outcome = await afterDamage(file, (path) => flip(path, bit));
        assert.ok(outcome.mended.length > 0, `bit ${bit}`);
      }
    });
});

describe('a file', () => {
  for (const file of ['entries/0000000001.seg', 'details/0000000001.seg', 'hashes/0/0000000000'])
    it(`${file} that was lost, or cut short, is made again`, async () => {
      await afterDamage(file, (path) => rmSync(path));
      await afterDamage(file, (path) => truncateSync(path, readFileSync(path).length - 40));
    });
});

it('what two copies have and one has not is mended with the rest, and a forged copy mends nothing', async () => {
  const forged: OpenCopy = {
    ...copy,
    name: 'forged',
    bundle: async (index) => {
      const held = await copy.bundle(index);
      const changed = (items: typeof held.leaves) =>
        items.map((item) => item?.map((byte, i) => (i === 20 ? byte ^ 1 : byte)));
      return { ...held, leaves: changed(held.leaves), preimages: changed(held.preimages) };
    },
  };
  const file = join(folder, 'details/0000000001.seg');
  const intact = readFileSync(file);
  const at = intact.indexOf('"n":20');
  flip(file, 8 * at + 9);
  const damaged = readFileSync(file);
  const refused = await repairer().repair([forged], 'tester');
  assert.deepEqual([refused.mended, refused.damage[0]?.lacks, refused.left.length], [[], ['detail'], 1]);
  assert.ok(readFileSync(file).equals(damaged));
  const planned = await repairer().plan([forged, copy]);
  assert.deepEqual(
    planned.damage.map(({ from }) => from),
    [[backup]],
  );
  assert.ok(readFileSync(file).equals(damaged));
  assert.deepEqual((await repairer().repair([forged, copy], 'tester')).left, []);
  assert.ok(readFileSync(file).equals(intact));
});

describe('a block of the index that hides entries, under a digest that fits', () => {
  it('is found out by the first of them, and taken away to be made again', async () => {
    const block = new IndexBlock(0);
    for (let n = 0; n < BLOCK_ENTRIES; n += 1) block.add({ type: LeafType.probe, eventUs: 0, gpu: '' }, 0);
    const path = join(folder, 'index/0000000000');
    writeFileSync(path, block.encode());
    const { damage, left } = await repairer().repair([copy], 'tester');
    assert.deepEqual(
      damage.map(({ seq, what }) => [seq, what]),
      [[0, 'index block 0 does not say what this entry is, so queries miss it']],
    );
    assert.deepEqual([left, existsSync(path)], [[], false]);
  });
});

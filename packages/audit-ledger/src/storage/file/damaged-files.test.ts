/** Files of a folder that are longer, shorter, gone or damaged: each is named, and no intact entry is accused. */
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openCheckpoint } from '../../note/checkpoint.js';
import { AgedLedger } from '../../testing/aged-ledger.js';
import { freshFolder, TEST_KEY } from '../../testing/ledgers.js';
import { verifyLog } from '../../verify/verify-log.js';
import { openSigned } from '../open-signed.js';
import { fileBackend } from './file-backend.js';
import { layoutOf } from './layout.js';

const SEGMENT_BYTES = 20_000;
const DAYS = 12;
const EVENTS_A_DAY = 100;

let intact: string;
before(async () => {
  const aged = await AgedLedger.open(freshFolder(), { segmentBytes: SEGMENT_BYTES });
  await aged.grow(DAYS, EVENTS_A_DAY, 25);
  await aged.prune(7, 4);
  await aged.opened.close();
  intact = aged.folder;
});
after(() => rmSync(dirname(intact), { recursive: true }));

/** What `verify --full` finds in a copy that was changed. */
async function found(change: (folder: string) => void): Promise<string[]> {
  const folder = freshFolder();
  cpSync(intact, folder, { recursive: true });
  cpSync(layoutOf(intact).guard, layoutOf(folder).guard);
  change(folder);
  const backend = fileBackend({ directory: folder });
  try {
    const [guard] = await backend.guards();
    const source = await openSigned(backend, TEST_KEY.verifier);
    const options = guard === undefined ? {} : { known: openCheckpoint(guard, TEST_KEY.verifier) };
    const report = await verifyLog(source, TEST_KEY.verifier, options).finally(() => source.close());
    assert.equal(report.checkpoint?.size, size());
    return report.findings.map(({ what }) => what.replaceAll(folder, 'LOG'));
  } finally {
    rmSync(dirname(folder), { recursive: true });
  }
}

function size(): number {
  return Number(readFileSync(layoutOf(intact).checkpoint, 'utf8').split('\n')[1]);
}

const segment = (log: string, number: number): string => join(log, `${String(number).padStart(10, '0')}.seg`);

function flip(path: string, bit: number): void {
  const bytes = readFileSync(path);
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  writeFileSync(path, bytes);
}

describe('verify --full of a folder', () => {
  it('finds nothing in an intact one', async () => {
    assert.deepEqual(await found(() => undefined), []);
  });

  for (const log of ['entries', 'details'])
    for (const [name, bytes] of [
      ['1 byte', Buffer.of(7)],
      ['7 bytes', Buffer.alloc(7, 1)],
      ['100 zeros', Buffer.alloc(100)],
    ] as const)
      it(`names a finished file of ${log} with ${name} too many`, async () => {
        const number = lastSegment(log) - 1;
        assert.deepEqual(
          (await found((folder) => appendFileSync(join(folder, segment(log, number)), bytes))).map(beforeFrom),
          [`${log} file ${number} has ${bytes.length} bytes behind its last record`],
        );
      });

  for (const log of ['entries', 'details'])
    it(`names the last file of ${log} with something behind its end that no crash leaves`, async () => {
      const number = lastSegment(log);
      for (const more of [Buffer.of(7), Buffer.from('SNTLSEG1 and so on')])
        assert.deepEqual(
          (await found((folder) => appendFileSync(join(folder, segment(log, number)), more))).map(beforeFrom),
          [`${log} file ${number} has ${more.length} bytes behind its last record`],
        );
      for (const left of [Buffer.alloc(90), Buffer.of(0, 0, 1)])
        assert.deepEqual(await found((folder) => appendFileSync(join(folder, segment(log, number)), left)), []);
    });

  for (const file of ['hashes/0/0000000000', 'hashes/1/0000000000', 'commits'])
    it(`names file ${file} with bytes too many`, async () => {
      for (const more of [1, 32, 4096])
        assert.deepEqual(
          (await found((folder) => appendFileSync(join(folder, file), Buffer.alloc(more, 3)))).map(beforeFrom),
          [`file ${file} has ${more} bytes too many`],
        );
    });

  it('goes on by the guard where the checkpoint is damaged, empty or gone', async () => {
    const { checkpoint } = layoutOf('');
    for (const [change, what] of [
      [(path: string) => flip(path, 8 * 20), /no checkpoint by the key|states no size/],
      [(path: string) => flip(path, readFileSync(path).length * 8 - 99), /no checkpoint by the key/],
      [(path: string) => truncateSync(path), /checkpoint is empty/],
      [(path: string) => rmSync(path), /checkpoint is missing/],
    ] as const) {
      const findings = await found((folder) => change(join(folder, checkpoint)));
      assert.equal(findings.length, 1, findings.join());
      assert.match(findings[0] ?? '', what);
    }
  });

  it('says that the guard is empty or gone', async () => {
    assert.match(
      (await found((folder) => truncateSync(layoutOf(folder).guard))).join(),
      /^LOG.guard is empty: nothing/,
    );
    assert.match((await found((folder) => rmSync(layoutOf(folder).guard))).join(), /^LOG.guard is missing: nothing/);
  });

  it('names the file that says what was pruned, and nothing else', async () => {
    for (const bit of [5, 800, 1700])
      assert.deepEqual(await found((folder) => flip(join(folder, 'pruned'), bit)), [
        'LOG/pruned does not match its digest',
      ]);
    assert.deepEqual(await found((folder) => truncateSync(join(folder, 'pruned'))), [
      'LOG/pruned does not match its digest',
    ]);
    assert.deepEqual(await found((folder) => rmSync(join(folder, 'pruned'))), ['LOG/pruned is missing']);
  });
});

function beforeFrom(what: string): string {
  return what.split(', ')[0] ?? '';
}

function lastSegment(log: string): number {
  return Math.max(...readdirSync(join(intact, log)).map((name) => Number.parseInt(name, 10) || 0));
}

/** Packs as a forger makes them who has the log and the program that makes packs, but not the log's key. Each is consistent in itself. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { before, describe, it } from 'node:test';
import { TAR_END, tarHeader, tarPadding } from '../archive/tar.js';
import { evidenceOf, TEST_EPOCH_US } from '../testing/exports.js';
import { fleetDrafts } from '../testing/fleet-drafts.js';
import { draftOf, freshFolder, openTestLedger, requestOf } from '../testing/ledgers.js';
import { type Verdict, verdictsOf } from '../testing/offline.js';
import type { LogSource, Opening } from '../verify/source.js';
import { DEFINITIONS_VERSION, FRAMEWORKS } from './controls.js';
import type { ReportFiles } from './evidence.js';
import type { Report } from './model.js';

const MINUTE_US = 60_000_000;
const isoAt = (us: number): string => new Date(us / 1000).toISOString();

/** More than a bundle of entries, each a minute after the one before. */
async function longLog(): Promise<string> {
  const directory = freshFolder();
  let nowUs = TEST_EPOCH_US;
  const { ledger, close } = await openTestLedger(directory, { nowUs: () => nowUs });
  const drafts = fleetDrafts(TEST_EPOCH_US);
  const more = Array.from({ length: 300 }, (_, n) => draftOf(drafts.length + n));
  for (const draft of [...drafts, ...more]) {
    nowUs += MINUTE_US;
    await ledger.ingest(requestOf([draft]));
  }
  await close();
  return directory;
}

function refused({ status, output }: Verdict, ...why: readonly RegExp[]): void {
  assert.equal(status, 1, output);
  assert.match(output, /NOT PROVEN: .* is not what it claims to be/);
  for (const each of why) assert.match(output, each);
}

const sumOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Replaces files of a pack, and keeps the sums of the manifest right. */
function replace(pack: string, files: { readonly [path: string]: string | Buffer }): void {
  const manifestFile = join(pack, 'manifest.json');
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8')) as { files: { [path: string]: string } };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(pack, path)), { recursive: true });
    writeFileSync(join(pack, path), content);
    manifest.files[path] = sumOf(Buffer.from(content));
  }
  writeFileSync(manifestFile, `${JSON.stringify(manifest, null, 1)}\n`);
}

function changeReport(pack: string, change: (report: { -readonly [K in keyof Report]: Report[K] }) => void): void {
  const report = JSON.parse(readFileSync(join(pack, 'report.json'), 'utf8')) as Report;
  change(report);
  replace(pack, { 'report.json': `${JSON.stringify(report, null, 1)}\n` });
}

let log: string;
let intact: { readonly path: string; readonly files: ReportFiles };
before(async () => {
  log = await longLog();
  intact = await evidenceOf(log, 'soc2');
});

/** A copy of the intact pack. */
function copy(): string {
  const path = join(mkdtempSync(join(tmpdir(), 'sentinel-forgery-')), 'pack');
  cpSync(intact.path, path, { recursive: true });
  return path;
}

describe('a forged pack is not proven where', () => {
  it('details are left out that the log has', async () => {
    const isQuarantine = ({ detail }: Opening): boolean => Buffer.from(detail).includes('"to":"QUARANTINED"');
    const lie = (source: LogSource): LogSource => ({
      ...bound(source),
      openings: async function* (from, to) {
        for await (const some of source.openings?.(from, to) ?? []) yield some.filter((each) => !isQuarantine(each));
      },
    });
    const { path, files } = await evidenceOf(log, 'soc2', 'pack', { lie });
    assert.equal(figureOf(files.report, 'quarantined'), 0);
    refused(verdictsOf(path), /its detail is WITHHELD: no pruning that the log announced/, /of which \d+ WITHHELD\)/);
  });

  it('whole entries are said to be pruned', async () => {
    const lie = (source: LogSource): LogSource => ({
      ...bound(source),
      pruned: () => Promise.resolve({ leaves: 256, details: 256, announced: [] }),
      keptLeaves: nothing,
      openings: async function* (from, to) {
        for await (const some of source.openings?.(from, to) ?? []) yield some.filter(({ seq }) => seq >= 256);
      },
    });
    const { path, files } = await evidenceOf(log, 'soc2', 'pack', { lie });
    assert.equal(files.report.entries.leaves_pruned, 256);
    refused(verdictsOf(path), /entry 0 is WITHHELD/, /257 found wrong, of which 256 WITHHELD/);
  });

  it('entries before its range are said to be pruned', async () => {
    const { path } = await evidenceOf(log, 'soc2', 'pack', { range: { first: 270 } });
    const file = join(path, 'manifest.json');
    const honest = readFileSync(file, 'utf8');
    for (const end of [1, 256]) {
      writeFileSync(file, honest.replace('"pruned_leaves_end": 0', `"pruned_leaves_end": ${end}`));
      refused(verdictsOf(path), /states that entries were pruned, which the log did not announce/);
    }
  });

  it('a figure is given another meaning, or a control left out', async () => {
    const honest = FRAMEWORKS.soc2;
    const redefined = JSON.parse(
      JSON.stringify(honest).replaceAll('"event":"state_changed"', '"event":"state_change"'),
    ) as typeof honest;
    for (const forged of [redefined, { ...honest, controls: honest.controls.slice(1) }]) {
      const { path, files } = await withFramework(forged, async () => await evidenceOf(log, 'soc2'));
      assert.equal(figureOf(files.report, 'quarantined'), forged === redefined ? 0 : 2);
      refused(verdictsOf(path), /the report's "controls" is not what the entries give/);
    }
  });

  it('the report has another title, or says something besides', () => {
    const forgeries: ((report: { -readonly [K in keyof Report]: Report[K] }) => void)[] = [
      (report) => Object.assign(report, { title: 'Certified' }),
      (report) => Object.assign(report, { summary: 'No device was ever quarantined.' }),
      (report) => Object.assign(report.period, { certified: true }),
      (report) => Object.assign(report, { framework: '__proto__' }),
      (report) => Object.assign(report, { definitions: DEFINITIONS_VERSION + 1 }),
      (report) => Object.assign(report, { definitions: DEFINITIONS_VERSION - 1 }),
    ];
    for (const change of forgeries) {
      const path = copy();
      changeReport(path, change);
      refused(verdictsOf(path), /the report's "(title|summary|period|controls)"|that this program does not know/);
    }
  });

  it('a part calls itself the whole of a period', async () => {
    const minute = (n: number): string => isoAt(TEST_EPOCH_US + n * MINUTE_US);
    const year = { from: '2023-01-01', to: '2023-12-31' };
    const forged = await evidenceOf(log, 'soc2', 'pack', { range: { first: 10, last: 20 }, period: year });
    refused(verdictsOf(forged.path), /entry 9 is of the period, and WITHHELD/, /entry 21 is of the period/);
    const narrow = { from: minute(12), to: minute(19) };
    const { path } = await evidenceOf(log, 'soc2', 'pack', { range: { first: 10, last: 20 }, period: narrow });
    refused(verdictsOf(path), /entry 10 was taken before the period/, /entry 20 was taken after the period/);
    changeReport(path, (report) => Object.assign(report.period, { from: '2023' }));
    refused(verdictsOf(path), /no instant/);
  });

  it('the neighbours of its period are not shown, or are others', async () => {
    const period = { from: isoAt(TEST_EPOCH_US + 10 * MINUTE_US), to: isoAt(TEST_EPOCH_US + 21 * MINUTE_US) };
    const { path } = await evidenceOf(log, 'soc2', 'pack', { range: { first: 10, last: 20 }, period });
    const { status, output } = verdictsOf(path);
    assert.equal(status, 0, output);
    assert.match(output, new RegExp(`the log has no others of ${period.from} to ${period.to}`));
    const lines = readFileSync(join(path, 'proved.jsonl'), 'utf8');
    replace(path, { 'proved.jsonl': lines.split('\n').slice(1).join('\n') });
    refused(verdictsOf(path), /nothing shows that entry 9 is not of the period/);
    replace(path, { 'proved.jsonl': lines.replace('"seq":9,', '"seq":8,') });
    refused(verdictsOf(path), /proved\.jsonl: entry 8 is not proved/);
  });

  it('a proof is missing, or all are', () => {
    const path = copy();
    const { files } = intact;
    const seq = files.report.cited.at(-1)?.seq ?? -1;
    rmSync(join(path, `proofs/${seq}.tlog-proof`));
    refused(verdictsOf(path), new RegExp(`proofs/${seq}\\.tlog-proof is missing`), /\(1 found wrong\)/);
    rmSync(join(path, 'proofs'), { recursive: true });
    refused(verdictsOf(path), new RegExp(`\\(${files.report.cited.length} found wrong\\)`));
  });

  it('the table says something else than the entries, or a file was added to the list', () => {
    const path = copy();
    const csv = readFileSync(join(path, 'report.csv'), 'utf8');
    replace(path, { 'report.csv': csv.replace('Devices taken out of service,2', 'Devices taken out of service,0') });
    refused(verdictsOf(path), /report\.csv is not as the entries give it/);
    replace(path, { 'report.csv': csv });
    assert.equal(verdictsOf(path).status, 0);
    replace(path, { 'summary.pdf': '%PDF-1.4 no quarantines' });
    refused(verdictsOf(path), /summary\.pdf does not belong to the pack/);
  });

  it('tar would unpack something else than the program reads', () => {
    const path = copy();
    const files = new Map(filesOf(path).map((name) => [name, readFileSync(join(path, name))]));
    const forgeries: readonly ((header: Buffer) => void)[] = [
      (header) => header.write('x', 156),
      (header) => header.write('2', 156),
      (header) => header.write('elsewhere', 345),
      (header) => header.write('0004755', 100),
      (header) => header.write('root', 265),
      (header) => header.write('00000000001', 136),
    ];
    const tar = join(dirname(path), 'forged.tar');
    writeFileSync(
      tar,
      tarOf(files, () => undefined),
    );
    assert.equal(verdictsOf(tar).status, 0);
    for (const forge of forgeries) {
      writeFileSync(tar, tarOf(files, forge));
      refused(verdictsOf(tar), /the tar file is damaged at byte \d+/);
    }
  });

  it('it is made to do harm to whoever looks at it', () => {
    const hostile: readonly { readonly [path: string]: string }[] = [
      { 'a/b/c/d/e/f/g/h/i/j/k/l/m/n': '' },
      { 'report.json': `${'['.repeat(200_000)}${']'.repeat(200_000)}` },
      { 'report.json': 'null' },
      { 'proved.jsonl': '{"seq":1e999}\nnull\n\u001b[2J\n' },
      { 'verifier-key': 'a\u001b[31m+00000000+AA==\n' },
    ];
    for (const files of hostile) {
      const path = copy();
      replace(path, files);
      const { status, output } = verdictsOf(path);
      assert.equal(status, 1, output);
      assert.ok(!output.includes('\u001b'), JSON.stringify(output));
    }
  });
});

/** A source whose methods may be handed on alone. */
function bound(source: LogSource): LogSource {
  return {
    checkpoint: () => source.checkpoint(),
    tile: (tile) => source.tile(tile),
    pruned: async () => (await source.pruned?.()) ?? { leaves: 0, details: 0, announced: [] },
  };
}

async function* nothing(): AsyncGenerator<never> {}

async function withFramework<T>(forged: (typeof FRAMEWORKS)['soc2'], work: () => Promise<T>): Promise<T> {
  const honest = FRAMEWORKS.soc2;
  Object.assign(FRAMEWORKS, { soc2: forged });
  try {
    return await work();
  } finally {
    Object.assign(FRAMEWORKS, { soc2: honest });
  }
}

function figureOf({ controls }: Report, id: string): number | undefined {
  return controls.flatMap(({ shows }) => shows).find((each) => each.id === id)?.value;
}

function filesOf(pack: string): string[] {
  const entries = readdirSync(pack, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(pack.length + 1));
}

/** `forge` changes the first header, whose sum is made right again. */
function tarOf(files: ReadonlyMap<string, Buffer>, forge: (header: Buffer) => void): Buffer {
  const blocks = [...files].flatMap(([name, bytes], i) => {
    const header = tarHeader(name, bytes.length);
    if (i === 0) forge(header);
    header.fill(' ', 148, 156);
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    return [header, bytes, Buffer.alloc(tarPadding(bytes.length))];
  });
  return Buffer.concat([...blocks, TAR_END]);
}

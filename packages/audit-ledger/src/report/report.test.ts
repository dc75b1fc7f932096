/** A report from a log, and its evidence as somebody verifies it who has nothing but the pack, Node and a key. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { before, describe, it } from 'node:test';
import { openArchive } from '../archive/reader.js';
import { verifyExport } from '../export/verify-export.js';
import { generateSigningKeyText, parseSigningKey } from '../note/keys.js';
import { evidenceOf, TEST_EPOCH_US } from '../testing/exports.js';
import { fleetDrafts } from '../testing/fleet-drafts.js';
import { freshFolder, openTestLedger, requestOf, TEST_KEY } from '../testing/ledgers.js';
import { type Verdict, verdictOf, verdictsOf } from '../testing/offline.js';
import type { Report } from './model.js';

/** A log whose ledger takes each entry when it happens, and seals every few. */
async function fleetLog(): Promise<string> {
  const directory = freshFolder();
  const drafts = fleetDrafts(TEST_EPOCH_US);
  let nowUs = TEST_EPOCH_US;
  const { ledger, close } = await openTestLedger(directory, { nowUs: () => nowUs });
  for (const [n, draft] of drafts.entries()) {
    nowUs = draft.eventUs;
    await ledger.ingest(requestOf([draft]));
    if (n % 10 === 9) ledger.seal();
  }
  await close();
  return directory;
}

function figureOf({ controls }: Report, id: string): [number, number] {
  const figure = controls.flatMap(({ shows }) => shows).find((each) => each.id === id);
  assert.ok(figure !== undefined, id);
  return [figure.value, figure.injected];
}

let log: string;
before(async () => {
  log = await fleetLog();
});

describe('a report', () => {
  it('counts by type and event, and sets apart what was injected', async () => {
    const { report } = (await evidenceOf(log, 'soc2')).files;
    assert.deepEqual(figureOf(report, 'mismatches'), [4, 1]);
    assert.deepEqual(figureOf(report, 'mismatches_counted'), [3, 1]);
    assert.deepEqual(figureOf(report, 'mismatches_summed'), [412, 0]);
    assert.deepEqual(figureOf(report, 'quarantined'), [2, 1]);
    assert.deepEqual(figureOf(report, 'canaries_agreed'), [19, 0]);
    assert.deepEqual(figureOf(report, 'approvals_given'), [3, 0]);
    assert.deepEqual(figureOf(report, 'approvals_two_persons'), [1, 0]);
    assert.deepEqual(figureOf(report, 'approvals_for_engine'), [1, 0]);
    assert.deepEqual(figureOf(report, 'operators'), [2, 0]);
    assert.deepEqual(figureOf(report, 'runs_lost'), [5120, 0]);
  });

  it('says who acted and how many stood behind it', async () => {
    const { report } = (await evidenceOf(log, 'iso27001')).files;
    const approvals = report.actions.filter(({ event }) => event === 'approval_approved');
    assert.deepEqual(
      approvals.map(({ persons }) => persons),
      ['engine and one person', 'two persons', 'one person'],
    );
    const condemned = report.actions.filter(({ what }) => what === 'DEEP_TEST to CONDEMNED');
    assert.deepEqual(
      condemned.map(({ persons }) => persons),
      ['engine and one person', 'two persons', 'one person'],
    );
  });

  it('names the hours in which nobody said anything, and seals that agree', async () => {
    const { report } = (await evidenceOf(log, 'soc2')).files;
    assert.ok(report.hours.silent > 10, JSON.stringify(report.hours));
    assert.ok(report.seals.inside > 3);
    assert.equal(report.seals.agree, report.seals.inside);
  });

  it('as a table gives a spreadsheet no formula', async () => {
    const { csv } = (await evidenceOf(log, 'soc2')).files;
    const text = csv.toString('utf8');
    assert.match(text, /'=HYPERLINK/);
    assert.match(text, /'@done/);
  });
});

describe('the evidence', () => {
  it('is verified by a program without dependencies, which says what was proven and what not', async () => {
    for (const framework of ['soc2', 'iso27001'] as const)
      for (const name of ['pack', 'pack.tar'])
        for (const first of [0, 9]) {
          const { path, files } = await evidenceOf(log, framework, name, { range: { first } });
          const { status, output } = verdictsOf(path);
          assert.equal(status, 0, output);
          const figures = files.report.controls.flatMap(({ shows }) => shows).length;
          assert.match(
            output,
            new RegExp(
              `^PROVEN: entries ${first} to .* all ${figures} figures\\. NOT PROVEN: that the key is the log's`,
            ),
          );
          const archive = await openArchive(path);
          assert.deepEqual((await verifyExport(archive, TEST_KEY.verifier)).findings, []);
          await archive.close();
        }
  });

  it('says plainly when the key is that of the pack', async () => {
    const { path } = await evidenceOf(log, 'soc2');
    assert.match(verdictsOf(path, {}).output, /^PROVEN, SIGNER NOT CHECKED: .* NOT PROVEN: WHO signed/);
  });

  it('is not accused of what the auditor mistyped', async () => {
    const { path } = await evidenceOf(log, 'soc2');
    const key = TEST_KEY.verifier.text;
    assert.equal(verdictsOf(path, { key: key.slice(0, -9) }).status, 2);
    assert.equal(verdictsOf(path, { key, attestationKey: `${key}=` }).status, 2);
    assert.equal(verdictsOf(`${path}s`).status, 69);
  });
});

/** Changes a file of a pack as a forger would who also keeps the manifest's checksums right. @returns what the verifier says */
function forged(pack: string, path: string, change: (bytes: Buffer) => Buffer): Verdict {
  const [file, manifestFile] = [join(pack, path), join(pack, 'manifest.json')];
  const [intact, manifest] = [readFileSync(file), readFileSync(manifestFile)];
  const bytes = change(Buffer.from(intact));
  writeFileSync(file, bytes);
  const sumOf = (of: Buffer): string => createHash('sha256').update(of).digest('hex');
  if (path !== 'manifest.json')
    writeFileSync(manifestFile, manifest.toString('utf8').replace(sumOf(intact), sumOf(bytes)));
  const said = verdictsOf(pack);
  writeFileSync(file, intact);
  writeFileSync(manifestFile, manifest);
  return said;
}

describe('evidence that was altered is refused', () => {
  let pack: string;
  let report: Report;
  before(async () => {
    const made = await evidenceOf(log, 'soc2');
    [pack, report] = [made.path, made.files.report];
  });

  function refused({ status, output }: Verdict, why: RegExp): void {
    assert.equal(status, 1, output);
    assert.match(output, why);
    assert.match(output, /NOT PROVEN: .* is not what it claims to be/);
  }

  const inJson = (from: RegExp | string, to: string) => (bytes: Buffer) => {
    const before = bytes.toString('utf8');
    const after = before.replace(from, to);
    assert.notEqual(after, before);
    return Buffer.from(after);
  };

  it('whichever byte of whichever file, as a tar file', async () => {
    const { path } = await evidenceOf(log, 'soc2', 'pack.tar');
    const intact = readFileSync(path);
    const archive = await openArchive(path);
    const names = [...archive.paths].filter((name) => !name.startsWith('proofs/'));
    await archive.close();
    const proof = [...archive.paths].find((name) => name.startsWith('proofs/')) ?? '';
    for (const name of [...names, proof]) {
      const header = intact.indexOf(`${name}\0`);
      const size = Number.parseInt(intact.toString('latin1', header + 124, header + 135), 8);
      for (const at of [header + 110, header + 512 + Math.floor(size / 2)]) {
        const bytes = Buffer.from(intact);
        bytes[at] = (bytes[at] ?? 0) ^ 4;
        writeFileSync(path, bytes);
        refused(verdictOf(at % 2 === 0 ? 'verify.mjs' : 'verify.py', path), /./);
      }
    }
  });

  it('a count, a definition of one, a person or a time in the report, with its checksum made right', () => {
    refused(forged(pack, 'report.json', inJson('"value": 412', '"value": 411')), /report's "controls"/);
    refused(forged(pack, 'report.json', inJson('"is": "CONDEMNED"', '"is": "CONDEMNET"')), /report's "controls"/);
    refused(forged(pack, 'report.json', inJson('"two persons"', '"one person"')), /report's "actions"/);
    refused(forged(pack, 'report.json', inJson(/"silent": \d+/, '"silent": 0')), /report's "hours"/);
    refused(forged(pack, 'report.json', inJson(/"agree": \d+/, '"agree": 1')), /report's "seals"/);
    refused(forged(pack, 'report.json', inJson(/"details_missing": 0/, '"details_missing": 1')), /report's "entries"/);
  });

  it('an entry that is cited and dropped, with its detail or without', () => {
    const [cited] = report.actions;
    const line = new RegExp(`{"seq":${cited?.seq},.*\\n`);
    refused(
      forged(pack, 'details/000.jsonl', inJson(line, '')),
      new RegExp(`entry ${cited?.seq}: its detail is missing`),
    );
    const bundle = filesOf(pack).find((path) => path.startsWith('tile/entries/')) ?? '';
    refused(
      forged(pack, bundle, (bytes) => bytes.subarray(2 + bytes.readUInt16BE(0))),
      /their bundle is missing or damaged/,
    );
  });

  it('two entries or two details that were swapped', () => {
    const bundle = filesOf(pack).find((path) => path.startsWith('tile/entries/')) ?? '';
    const swapped = forged(pack, bundle, (bytes) => {
      const first = 2 + bytes.readUInt16BE(0);
      const second = first + 2 + bytes.readUInt16BE(first);
      return Buffer.concat([bytes.subarray(first, second), bytes.subarray(0, first), bytes.subarray(second)]);
    });
    refused(swapped, /entry 0 was altered/);
    const exchanged = (text: string): string =>
      text
        .replace(/"seq":5,/, '"seq":#,')
        .replace(/"seq":6,/, '"seq":5,')
        .replace('"seq":#,', '"seq":6,');
    refused(
      forged(pack, 'details/000.jsonl', (bytes) => Buffer.from(exchanged(bytes.toString('utf8')))),
      /entry 5: its detail was altered/,
    );
  });

  it('a pack that was cut short, and one with a file too many', async () => {
    const { path } = await evidenceOf(log, 'soc2', 'pack.tar');
    const intact = readFileSync(path);
    for (const length of [intact.length - 1, intact.length - 1024, Math.floor(intact.length / 2)]) {
      writeFileSync(path, intact.subarray(0, length));
      refused(verdictsOf(path), /cut short|does not end|damaged/);
    }
    writeFileSync(join(pack, 'more.txt'), '');
    refused(verdictsOf(pack), /more\.txt does not belong/);
    rmSync(join(pack, 'more.txt'));
    assert.equal(verdictsOf(pack).status, 0);
  });

  it('a pack under another key', () => {
    const other = parseSigningKey(generateSigningKeyText('sentinel/test')).verifier.text;
    refused(verdictsOf(pack, { key: other }), /not signed by sentinel\/test with this key/);
  });
});

function filesOf(pack: string): string[] {
  const entries = readdirSync(pack, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(pack, join(entry.parentPath, entry.name)));
}

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { generateSigningKeyText } from '@sentinel/audit-ledger/keygen';
import { parseSigningKey } from '@sentinel/audit-ledger/keys';
import { type TemporaryFolder, temporaryFolder } from '@sentinel/test-kit';
import { logEvents, startLedger, startLiar } from './testing/ledger.js';
import { type Outcome, run } from './testing/run.js';
import { GPU } from './testing/samples.js';

const NOBODY = '127.0.0.1:1';

describe('the audit commands, against the real ledger', () => {
  let folder: TemporaryFolder;
  let ledger: Awaited<ReturnType<typeof startLedger>>;
  let dataDir: string;
  let pinned: string;
  before(async () => {
    folder = await temporaryFolder();
    ledger = await startLedger(folder);
    await logEvents(ledger.grpc, 300);
    dataDir = folder.join('data');
    pinned = folder.join('data/run/ledger.vkey');
    mkdirSync(dataDir);
  });
  after(async () => {
    await ledger[Symbol.asyncDispose]();
    await folder.remove();
  });

  const ask = (argv: readonly string[], http = ledger.http): Promise<Outcome> =>
    run([...argv, '--ledger', ledger.grpc, '--ledger-http', http, '--engine', NOBODY], { dataDir });

  it('query: the event of each detail, newest first, filtered', async () => {
    const { status, stdout } = await ask(['audit', 'query', '--gpu', GPU, '--type', 'decision', '--limit', '3']);
    assert.equal(status, 0);
    assert.match(stdout, /^SEQ .*EVENT\n300 .*GPU-8932f937 +HEALTHY>SUSPECT\n299 [^\n]*\n298 [^\n]*\n$/);
    const json = JSON.parse(
      (await ask(['audit', 'query', '--type', 'decision', '--output', 'json', '--limit', '1100'])).stdout,
    ) as {
      entries: { seq: number; event: string; decoded: { n: number } }[];
    };
    assert.equal(json.entries.length, 300);
    assert.deepEqual([json.entries[0]?.event, json.entries[0]?.decoded.n], ['state_changed', 299]);
    const none = await ask(['audit', 'query', '--until', '2026-01-01', '--gpu', GPU]);
    assert.match(none.stdout, /no such entry/);
  });

  it('verify: pins the key at first use, and says that the key is all that was not shown', async () => {
    const { status, stdout } = await ask(['audit', 'verify']);
    assert.equal(status, 0);
    assert.match(stdout, /VERIFIED +Entries 0 to 300 are/);
    assert.match(stdout, /not proven +The key came from the ledger itself just now\s+and is pinned/);
    assert.equal((await ask(['audit', 'key'])).stdout, readFileSync(pinned, 'utf8'));
  });

  it('status: says when the ledger contradicts what was verified of it', async () => {
    const file = `${pinned}.checkpoint.json`;
    const verified = readFileSync(file, 'utf8');
    assert.doesNotMatch((await ask(['status'])).stdout, /CRITICAL/);
    const known = JSON.parse(verified) as { size: number; root: string };
    for (const [other, what] of [
      [{ ...known, size: known.size + 5 }, /has 301 entries now; 306 were verified before/],
      [{ ...known, size: 7 }, /its 301 entries do not begin with the 7/],
    ] as const) {
      writeFileSync(file, JSON.stringify(other));
      assert.match((await ask(['status'])).stdout.replaceAll(/\s+/g, ' '), what);
    }
    writeFileSync(file, verified);
  });

  it('evidence: says what a file of a reader proves', async () => {
    const file = folder.join('fork-evidence-1.json');
    const key = readFileSync(pinned, 'utf8').trim();
    const checkpoint = await (await fetch(`http://${ledger.http}/checkpoint`)).text();
    const evidence = { format: 'sentinel-fork-evidence/1', verifier_key: key, found_at: '', first: checkpoint };
    writeFileSync(file, JSON.stringify({ ...evidence, second: checkpoint }));
    const nothing = await ask(['audit', 'evidence', file]);
    assert.equal(nothing.status, 1);
    assert.match(nothing.stdout, /^NOT PROVEN: nothing here shows/);
    writeFileSync(file, JSON.stringify({ ...evidence, second: checkpoint.replace('301', '302') }));
    assert.match((await ask(['audit', 'evidence', file])).stdout, /does not verify/);
    writeFileSync(file, '{}');
    assert.notEqual((await ask(['audit', 'evidence', file])).status, 0);
  });

  it('export and report: over HTTP, verified once they are written, and nothing is overwritten', async () => {
    const copy = folder.join('copy.tar');
    const exported = await ask(['audit', 'export', '--from', '10', '--to', '299', '--file', copy]);
    assert.equal(exported.status, 0, exported.stderr);
    assert.match(exported.stdout, /^ok: entries 10 to 299 \(290 details\) are what sentinel\/test signed/);
    assert.notEqual((await ask(['audit', 'export', '--file', copy])).status, 0);

    const file = folder.join('report.json');
    const reported = await ask(['audit', 'report', 'soc2', '--format', 'json', '--file', file, '--output', 'json']);
    assert.equal(reported.status, 0, reported.stderr);
    const { ok, evidence } = JSON.parse(reported.stdout) as { ok: boolean; evidence: string };
    assert.deepEqual([ok, existsSync(evidence)], [true, true]);
    const { controls } = JSON.parse(readFileSync(file, 'utf8')) as { controls: { id: string }[] };
    assert.deepEqual(
      controls.map(({ id }) => id),
      ['CC6.1', 'CC7.2', 'CC8.1', 'A1.2'],
    );
    for (const wrong of [
      ['audit', 'report', 'hipaa', '--file', folder.join('x')],
      ['audit', 'export'],
    ])
      assert.equal((await ask(wrong)).status, 2);
  });

  it('export, report and query: hold the ledger against what was verified of it before', async () => {
    const file = `${pinned}.checkpoint.json`;
    const verified = readFileSync(file, 'utf8');
    const copy = folder.join('forked.tar');
    const commands = [
      ['audit', 'export', '--file', copy],
      ['audit', 'report', 'soc2', '--file', folder.join('forked.json'), '--evidence', copy],
    ];
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(verified) as object), size: 7 }));
    for (const command of commands) {
      const { status, stderr } = await ask(command);
      assert.deepEqual([status, existsSync(copy), existsSync(folder.join('forked.json'))], [1, false, false]);
      assert.match(stderr, /TAMPERED: nothing is copied: log does not extend the known checkpoint/);
    }
    const queried = await ask(['audit', 'query', '--limit', '1']);
    assert.equal(queried.status, 1);
    assert.match(queried.stderr, /CRITICAL: the ledger is not the one that was verified here before/);
    writeFileSync(file, 'garbage');
    for (const command of [...commands, ['audit', 'query'], ['audit', 'verify']]) {
      const { status, stderr } = await ask(command);
      assert.equal(status, 78, stderr);
      assert.match(stderr, /checkpoint\.json is damaged: what was verified/);
    }
    writeFileSync(file, verified);
    const key = readFileSync(pinned, 'utf8');
    rmSync(pinned);
    const unpinned = await ask(['audit', 'export', '--file', folder.join('unpinned.tar')]);
    writeFileSync(pinned, key);
    assert.equal(unpinned.status, 0);
    assert.match(unpinned.stderr, /No key is pinned here/);
  });

  it('verify: later, against the pinned key and as an extension of what verified', async () => {
    await logEvents(ledger.grpc, 5);
    const { status, stdout } = await ask(['audit', 'verify', '--full']);
    assert.equal(status, 0);
    assert.match(stdout, /Nothing of what was verified last\s+time \(301 entries\) was changed or removed/);
    assert.match(stdout, /306 details\s+are\s+what\s+their\s+entries\s+committed\s+to/);
    assert.doesNotMatch(stdout, /just now|--full/);
    const json = JSON.parse((await ask(['audit', 'verify', '--depth', '10', '--output', 'json'])).stdout) as object;
    assert.partialDeepStrictEqual(json, { ok: true, keyFrom: 'pinned', firstSeq: 256, entries: 50, details: null });
  });

  it('verify: 1 for a log that another key signed', async () => {
    const other = parseSigningKey(generateSigningKeyText('sentinel/test')).verifier.text;
    const { status, stdout } = await ask(['audit', 'verify', '--key', other]);
    assert.equal(status, 1);
    assert.match(stdout, /TAMPERED[\s\S]*no signature by/);
  });

  it('verify: 1 for an altered entry, and nothing is remembered', async () => {
    const before = readFileSync(`${pinned}.checkpoint.json`, 'utf8');
    await using liar = await startLiar(ledger.http, (path, body) => {
      if (path.startsWith('/tile/entries/')) body[100] = (body[100] ?? 0) ^ 1;
      return body;
    });
    const { status, stdout } = await ask(['audit', 'verify'], liar.address);
    assert.equal(status, 1);
    assert.match(stdout, /TAMPERED +\d+ findings?: what the ledger serves[\s\S]*entry 0:/);
    assert.equal(readFileSync(`${pinned}.checkpoint.json`, 'utf8'), before);
  });

  it('verify: an altered detail is found by --full', async () => {
    await using liar = await startLiar(ledger.http, (path, body) => {
      if (!path.startsWith('/api/v1/audit')) return body;
      const page = JSON.parse(body.toString()) as { entries: { detail: string }[] };
      const [, second] = page.entries;
      if (second !== undefined) second.detail = Buffer.from('{"event":"nothing"}').toString('base64');
      return Buffer.from(JSON.stringify(page));
    });
    assert.equal((await ask(['audit', 'verify'], liar.address)).status, 0);
    const { status, stdout } = await ask(['audit', 'verify', '--full'], liar.address);
    assert.equal(status, 1);
    assert.match(stdout, /entry 1: detail is not what the leaf committed to/);
  });

  it('verify: 1 for a log that lost entries, though it is signed', async () => {
    const old = await (await fetch(`http://${ledger.http}/checkpoint`)).text();
    await logEvents(ledger.grpc, 2);
    assert.equal((await ask(['audit', 'verify'])).status, 0);
    await using liar = await startLiar(ledger.http, (path, body) => (path === '/checkpoint' ? Buffer.from(old) : body));
    assert.equal((await ask(['audit', 'verify'], liar.address)).status, 1);
  });

  it('verify: 69 when nothing could be read, 78 when the pinned key or a certificate is none', async () => {
    const away = await ask(['audit', 'verify'], NOBODY);
    assert.equal(away.status, 69);
    assert.match(away.stderr, /nothing was verified: cannot reach http:\/\/127\.0\.0\.1:1/);
    const key = readFileSync(pinned, 'utf8');
    writeFileSync(pinned, 'x\n');
    const broken = await ask(['audit', 'verify']);
    writeFileSync(pinned, key);
    assert.equal(broken.status, 78);
    assert.match(broken.stderr, /holds no verifier key[\s\S]*--key/);
    const tls = ['--tls-ca', '/none', '--tls-cert', '/none', '--tls-key', '/none'];
    assert.equal((await ask(['audit', 'verify', ...tls])).status, 78);
  });

  it('verify: without a data folder nothing is remembered, and that is said', async () => {
    rmSync(dataDir, { recursive: true });
    const { status, stdout } = await ask(['audit', 'verify']);
    assert.deepEqual([status, existsSync(dataDir)], [0, false]);
    assert.match(stdout, /nothing is\s+remembered/);
  });
});

import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually } from '@sentinel/test-kit';
import type { ConfiguredBy } from './core.js';
import { TestEngine } from './testing/engine.js';
import { ManifestSigner } from './testing/manifest.js';

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));
const DAY_MS = 86_400_000;

const COHORT = {
  vendor: 'test',
  model: 'test CPU',
  driver_version: '1',
  vbios_version: '',
  cuda_version: '',
  probe_version: 1,
  families: ['fma32'],
};
const payload = (families = ['fma32'], expires?: number) =>
  JSON.stringify({
    cohorts: [{ ...COHORT, families }],
    ...(expires === undefined ? {} : { expires: new Date(expires).toISOString() }),
  });

describe('the manifest of cohorts, as an operator meets it', () => {
  const signer = new ManifestSigner();
  const folder = new TestEngine();
  const file = join(folder.folder, 'cohorts.json');
  const engine = new TestEngine({ cohort_manifest: { file, keys: { ops: signer.publicKey } } });
  let child: ChildProcess | null = null;
  after(async () => {
    child?.kill('SIGKILL');
    await engine.remove();
    await folder.remove();
  });

  const argv = () => [MAIN, '--config', join(engine.folder, 'sentinel.yaml')];
  /** The engine as a program, which does not start. */
  const refusal = (text: string): Promise<{ code: unknown; said: string }> => {
    writeFileSync(file, text);
    return new Promise((resolve) => {
      execFile(process.execPath, argv(), (error, stdout, stderr) =>
        resolve({ code: error?.code ?? 0, said: stdout + stderr }),
      );
    });
  };

  it('no engine starts with a file that is not to be believed: status 78, and why, and what to do', async () => {
    writeFileSync(file, signer.sign(payload()));
    await engine.start();
    await engine.stop();
    const expired = Date.now() - DAY_MS;
    const cases: readonly (readonly [string, RegExp])[] = [
      [
        new ManifestSigner().sign(payload()),
        /cohorts\.json was changed after the key ops signed it, or signed by another/,
      ],
      [signer.sign(payload()).replace('fma32', 'fma64'), /was changed after the key ops signed it/],
      [signer.sign(payload(), { keyId: 'bob' }), /is signed by \\"bob\\", which is no key of cohort_manifest\.keys/],
      ['{"payload":', /is no JSON\. Nothing in it is believed\. docs\/decisions\.md says how/],
      [signer.sign('{"cohorts": 1}'), /lists no cohorts/],
      [
        signer.sign(payload(['fma32'], expired)),
        /expired at [^"]*\. Nothing in it is believed\. Sign a new one, or set/,
      ],
    ];
    for (const [text, why] of cases) {
      const { code, said } = await refusal(text);
      assert.equal(code, 78, said);
      assert.match(said, why);
      assert.match(said, /"level":"fatal".*"field":"correlation_engine\.cohort_manifest\.file"/);
    }
  });

  it('after SIGHUP a bad file changes nothing and is said; a good one acts; one that expires soon is said in time', async () => {
    writeFileSync(file, signer.sign(payload(['fma32'], Date.now() + 30 * DAY_MS)));
    const ready = join(engine.folder, 'ready.json');
    child = spawn(process.execPath, [...argv(), '--ready-file', ready], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await eventually(() => existsSync(ready), { what: 'it is ready' });
    const vouched = async (): Promise<string[]> => {
      const [row] = await engine.sql<{ body: { vouchedCohorts: string[] } }>(
        `select body from facts where name = 'config'`,
      );
      return (row?.body.vouchedCohorts ?? []).map((key) => String((JSON.parse(key) as unknown[])[3]));
    };
    const until = async (condition: () => boolean | Promise<boolean>, what: string): Promise<void> => {
      await eventually(condition, { what }).catch(({ message }: Error) => assert.fail(`${message}: ${said}`));
    };
    assert.deepEqual(await vouched(), ['1']);
    assert.doesNotMatch(said, /expires soon/);
    writeFileSync(file, signer.sign(payload(['fma64'])).replace('ops', 'eve'));
    child.kill('SIGHUP');
    await until(() => /is signed by .*which is no key of cohort_manifest\.keys/.test(said), 'refused');
    assert.match(said, /"level":"error".*decisions keep the settings of before: the manifest of cohorts/);
    assert.deepEqual(await vouched(), ['1']);
    writeFileSync(file, signer.sign(payload(['int_aes'], Date.now() + DAY_MS)));
    child.kill('SIGHUP');
    await until(async () => (await vouched())[0] === '2', 'taken');
    const [told] = await engine.sql<{ detail: string }>(
      `select detail from outbox where detail like '%configuration_changed%' order by commit_seq desc limit 1`,
    );
    const { by } = JSON.parse(told?.detail ?? '{}') as { by: ConfiguredBy };
    assert.deepEqual([by.cause, by.uid], ['reload', process.getuid?.()]);
    const manifest = by.files.find(({ path }) => path === file);
    assert.match(`${manifest?.before} ${manifest?.sha256}`, /^[0-9a-f]{64} [0-9a-f]{64}$/);
    assert.notEqual(manifest?.before, manifest?.sha256);
    const soon = /"level":"warn".*expires soon: sign a new one, or no engine will start with it/;
    await until(() => soon.test(said), 'said in time');
    child.kill('SIGTERM');
    const [status] = (await once(child, 'exit')) as [number];
    assert.equal(status, 0);
  });
});

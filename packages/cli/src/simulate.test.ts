import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EXIT } from '@sentinel/service-kit/errors';
import { run } from './testing/run.js';

let folder: string;
before(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sentinel-simulate-'));
});
after(() => rmSync(folder, { recursive: true }));

it('a question about one defect is answered without any service', async () => {
  const question = ['simulate', '--rate', '1', '--cadence', '30', '--prior', '1e-4', '--replicates', '3', '--json'];
  const { status, stdout } = await run(question);
  assert.equal(status, EXIT.ok);
  const { replicates, faults } = JSON.parse(stdout);
  assert.equal(replicates, 3);
  assert.deepEqual(faults[0].quarantine.median.toFixed(4), (630 / 3600).toFixed(4), '30 s, then the dwell of 600 s');
});

it('a scenario of one’s own can be changed from outside, and the page is written', async () => {
  const file = path.join(folder, 'own.yaml');
  writeFileSync(file, 'name: own\nhours: 2\nfleet: { gpus: 40 }\nfaults: [{ kind: unit, rate: 0 }]\n');
  const page = path.join(folder, 'page.html');
  const set = ['--set', 'faults.0.rate=1', '--set', 'fleet.gpus=48'];
  const { status, stdout } = await run(['simulate', file, ...set, '--html', page]);
  assert.equal(status, EXIT.ok);
  assert.match(stdout, /^own: 48 GPUs, 2 h, one run, seed 1$/m);
  assert.match(stdout, /^unit 1 .* 1 of 1/m);
  assert.match(readFileSync(page, 'utf8'), /^<!doctype html>/);
});

it('names the scenarios, and what is wrong with one', async () => {
  assert.match((await run(['simulate'])).stdout, /healthy_fleet, .*; or the path of a file/);
  const file = path.join(folder, 'wrong.yaml');
  writeFileSync(file, 'name: wrong\nhours: 2\nfaults:\n  - { kind: unit, rate: 2 }\n');
  const wrong = await run(['simulate', file]);
  assert.equal(wrong.status, EXIT.configuration);
  assert.match(wrong.stderr, /wrong\.yaml:4: faults\.rate: expected a number/);
  assert.match((await run(['simulate', 'no_such'])).stderr, /cannot be read.* come with SENTINEL: /s);
  for (const flags of [
    ['--seed', 'x'],
    ['--set', 'nothing'],
    ['--rate', '2'],
  ])
    assert.equal((await run(['simulate', 'healthy_fleet', ...flags])).status, EXIT.usage);
  const nowhere = await run(['simulate', file, '--set', 'faults.0.rate=1', '--html', folder]);
  assert.match(nowhere.stderr, /cannot be written/);
});

/** Shows its progress although it writes to a pipe: so one sees that it computes. */
const AS_ON_A_TERMINAL = 'data:text/javascript,process.stderr.isTTY=true';
const MAIN = fileURLToPath(new URL('main.js', import.meta.url));
const LONG = 'name: long\nhours: 720\nfleet: { gpus: 64 }\nfaults: [{ kind: unit, rate: 1e-3, count: 8 }]\n';

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  it(`${signal} ends a simulation at once, in the middle of its computation`, async () => {
    const file = path.join(folder, 'long.yaml');
    writeFileSync(file, LONG);
    const args = ['--import', AS_ON_A_TERMINAL, MAIN, 'simulate', file, '--replicates', '1000'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const [shown] = (await once(child.stderr, 'data')) as [Buffer];
    assert.match(String(shown), /\[ +\] 0 %/);
    const exited = once(child, 'exit');
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), 30_000);
    assert.deepEqual(await exited, [null, signal]);
    clearTimeout(late);
  });
}

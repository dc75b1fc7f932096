import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { knownAnswersPath } from '../index.js';
import { cpus, goldenCpus, oracle, probes } from './addons.mjs';

const files = readdirSync(knownAnswersPath).map((name) => join(knownAnswersPath, name));
const contents = files.map((file) => JSON.parse(readFileSync(file, 'utf8')));
const verify = (paths) => spawnSync('python3', [oracle, '--known-answers', ...paths], { encoding: 'utf8' });

test('every family has at least eight known answers of its probe version', () => {
  const { families } = probes.info();
  assert.deepEqual(contents.map(({ family }) => family).sort(), families.map(({ name }) => name).sort());
  for (const { family, probe_version: version, answers } of contents) {
    assert.ok(answers.length >= 8);
    assert.equal(version, families.find(({ name }) => name === family).probeVersion);
  }
});

test('every CPU reproduces all of them', () => {
  for (const cpu of cpus) {
    for (const entry of probes.knownAnswers(cpu)) {
      const { answers } = contents.find(({ family }) => family === entry.family);
      assert.deepEqual(entry, {
        family: entry.family,
        passed: true,
        result: 'PASS',
        reason: null,
        executed: answers.length,
        firstBad: null,
      });
    }
  }
});

test('an execution with the seed of a known answer has its digest', () => {
  for (const { family, answers } of contents) {
    for (const { epoch, index, digest } of answers) {
      const report = probes.execute({ family, epoch, index, sms: cpus, goldenCpus });
      assert.equal(report.expectedDigest.toString(16).padStart(8, '0'), digest);
    }
  }
});

test('the independent oracle computes the same answers', () => {
  const { status, stdout, stderr } = verify(files);
  assert.equal(status, 0, stdout + stderr);
});

test('the oracle refuses a changed answer', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'known-answers-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const changed = structuredClone(contents.find(({ family }) => family === 'int_aes'));
  changed.answers[3].digest = '00000001';
  const file = join(folder, 'changed.json');
  writeFileSync(file, JSON.stringify(changed));
  const { status, stdout } = verify([file]);
  assert.equal(status, 1);
  assert.match(stdout, /DIFFER/);
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { knownAnswersPath } from '../index.js';
import { knownAnswerFiles, lockOf, readKnownAnswers } from '../scripts/known-answers-header.mjs';
import { cpus, families, goldenCpus, oracle, probes } from './addons.mjs';

const files = knownAnswerFiles(knownAnswersPath);
const all = files.map(readKnownAnswers);
const contents = all.filter(({ backend }) => backend === 'cpu');
const ask = (...args) => spawnSync('python3', [oracle, ...args], { encoding: 'utf8' });

/** Recomputing all takes minutes: CI does, elsewhere one answer of three is. */
const PART = process.env.CI === 'true' ? '0/1' : '1/3';

/** A copy of the committed answers, for as long as the test runs. */
function copyOf(t) {
  const folder = mkdtempSync(join(tmpdir(), 'known-answers-'));
  t.after(() => rmSync(folder, { recursive: true }));
  cpSync(knownAnswersPath, folder, { recursive: true });
  return folder;
}

/** Writes one wrong answer into a copy of a file. */
function falsify(file) {
  const changed = JSON.parse(readFileSync(file, 'utf8'));
  changed.answers[0].digest = '00000001';
  writeFileSync(file, JSON.stringify(changed));
}

test('every family has at least eight known answers of its probe version', () => {
  for (const { answers } of all) assert.ok(answers.length >= 8);
  const { families } = probes.info();
  assert.deepEqual(contents.map(({ family }) => family).sort(), families.map(({ name }) => name).sort());
  for (const { family, probe_version: version } of contents) {
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
  for (const { family, answers } of contents.filter(({ family }) => families.includes(family))) {
    for (const { epoch, index, digest } of answers) {
      const report = probes.execute({ family, epoch, index, sms: cpus, goldenCpus });
      assert.equal(report.expectedDigest.toString(16).padStart(8, '0'), digest);
    }
  }
});

test('a file is named by its backend and family', () => {
  assert.deepEqual(
    files.map((file) => file.slice(knownAnswersPath.length + 1)),
    all.map(({ backend, family }) => join(backend, `${family}.json`)),
  );
});

for (const file of files) {
  test(`the independent oracle computes the same answers: ${file.slice(knownAnswersPath.length + 1)}`, () => {
    const { status, stdout, stderr } = ask('--known-answers', file, '--part', PART);
    assert.equal(status, 0, stdout + stderr);
  });
}

test('an answer that changed while its probe version stayed is refused by the build and by the oracle', (t) => {
  const file = join(copyOf(t), 'cpu', 'cpu_reg.json');
  falsify(file);
  assert.throws(() => readKnownAnswers(file), /not those that probe version 1 locks/);
  const { status, stdout } = ask('--known-answers', file);
  assert.equal(status, 1);
  assert.match(stdout, /DIFFER from what their probe_version locks/);
});

test('the oracle refuses a wrong answer whose lock was changed with it', (t) => {
  const file = join(copyOf(t), 'cpu', 'cpu_reg.json');
  const changed = JSON.parse(readFileSync(file, 'utf8'));
  changed.answers[3].digest = '00000001';
  changed.locked[1] = lockOf(changed.answers);
  writeFileSync(file, JSON.stringify(changed));
  assert.doesNotThrow(() => readKnownAnswers(file));
  const { status, stdout } = ask('--known-answers', file);
  assert.equal(status, 1);
  assert.match(stdout, /DIFFER$/m);
});

test('the oracle makes the committed files, and no others of the same version', (t) => {
  const folder = copyOf(t);
  const file = join(folder, 'cpu', 'cpu_reg.json');
  const committed = readFileSync(file, 'utf8');
  const make = () => ask('--make', basename(file, '.json'), '--folder', folder);
  rmSync(file);
  assert.equal(make().status, 0);
  assert.equal(readFileSync(file, 'utf8'), committed);
  const { 1: lock, ...others } = JSON.parse(committed).locked;
  const relocked = { ...others, 1: lock.replace(/./g, '0') };
  writeFileSync(file, JSON.stringify({ ...JSON.parse(committed), locked: relocked }));
  const { status, stderr } = make();
  assert.equal(status, 1);
  assert.match(stderr, /a change of the recipe is a new probe_version/);
});

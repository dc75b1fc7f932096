import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '@sentinel/monitor-kit/testing/until';
import type { Logger } from '@sentinel/service-kit/logging';
import { ModelAnalysis } from '../analysers/model-analysis.js';
import { shortLimits } from '../analysers/testing/limits.js';
import { MAX_FILES, ReferenceStore } from './reference-store.js';

const KEY = { replica: 'r', model: 'm', configHash: 'aa', framework: 'vllm' };
const STATE = new ModelAnalysis(shortLimits()).state;

function store() {
  const folder = join(temporaryFolder(), 'references');
  const said: string[] = [];
  const say = (fields: { reason?: string }, sentence: string) => said.push(fields.reason ?? sentence);
  const log = { warn: say, error: say } as unknown as Logger;
  const made = new ReferenceStore(folder, log);
  const file = () => join(folder, readdirSync(folder)[0] ?? '');
  return { made, folder, said, file };
}

test('what was saved is read back, by its model and configuration alone', () => {
  const { made, said } = store();
  assert.equal(made.load(KEY), undefined);
  made.save(KEY, STATE);
  assert.deepEqual(made.load(KEY), JSON.parse(JSON.stringify(STATE)));
  assert.equal(made.load({ ...KEY, configHash: 'bb' }), undefined);
  assert.deepEqual(said, []);
});

const damages: readonly (readonly [string, (content: string) => string, RegExp])[] = [
  ['a flipped bit', (content) => content.replace('"level":0', '"level":4'), /damaged/],
  ['a file that ends early', (content) => content.slice(0, -20), /damaged/],
  ['nothing', () => '', /JSON/],
  ['a later version', (content) => content.replace('"version":1', '"version":2'), /of version 2, not 1/],
  ['another kind of file', (content) => content.replace('sentinel inference references', 'x'), /another kind/],
];
for (const [what, damage, reason] of damages) {
  test(`${what} is said, and the model is learnt anew`, () => {
    const { made, said, file } = store();
    made.save(KEY, STATE);
    writeFileSync(file(), damage(readFileSync(file(), 'utf8')));
    assert.equal(made.load(KEY), undefined);
    assert.match(said[0] ?? '', reason);
    made.save(KEY, STATE);
    assert.notEqual(made.load(KEY), undefined);
  });
}

test('a file under the name of another model is not taken for its own', () => {
  const { made, folder, said, file } = store();
  made.save(KEY, STATE);
  const content = readFileSync(file(), 'utf8');
  made.save({ ...KEY, model: 'other' }, STATE);
  for (const name of readdirSync(folder)) writeFileSync(join(folder, name), content);
  assert.equal(made.load({ ...KEY, model: 'other' }), undefined);
  assert.match(said[0] ?? '', /of another model/);
});

test('the oldest files make room', () => {
  const { made, folder } = store();
  mkdirSync(folder, { recursive: true });
  for (let k = 0; k < MAX_FILES + 5; k += 1) {
    const old = join(folder, `${k}.json`);
    writeFileSync(old, '');
    utimesSync(old, 1_000 + k, 1_000 + k);
  }
  made.save(KEY, STATE);
  const left = readdirSync(folder);
  assert.equal(left.length, MAX_FILES);
  assert.ok(!left.includes('0.json') && left.includes(`${MAX_FILES + 4}.json`));
});

test('a disk that takes nothing is said, and nothing more', () => {
  const { made, folder, said } = store();
  writeFileSync(folder, '');
  made.save(KEY, STATE);
  assert.match(said[0] ?? '', /not kept/);
});

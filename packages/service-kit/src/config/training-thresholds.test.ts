import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { ConfigError } from './problems.js';
import { folderWith } from './testing.js';
import { loadTrainingThresholds, renderTrainingThresholds } from './training-thresholds.js';

const folder = new URL('../../../../config/thresholds/', import.meta.url).pathname;
const NAME = 'training_thresholds.yaml';

function problems(context: TestContext, text: string): string[] {
  try {
    loadTrainingThresholds(NAME, {}, folderWith(context, { [NAME]: text }));
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
}

test('config/thresholds/training_thresholds.yaml is what the schema says, and reads back as the defaults', (context) => {
  const hint = 'run: node packages/service-kit/dist/config/write-default-file.js';
  assert.equal(readFileSync(`${folder}${NAME}`, 'utf8'), renderTrainingThresholds(), hint);
  const empty = loadTrainingThresholds(NAME, {}, folderWith(context, { [NAME]: '' }));
  assert.deepEqual(loadTrainingThresholds(NAME, {}, folder), empty);
  assert.equal(empty.gradient_norm.severity.critical, 8);
});

test('the file wins over what is given, and that over the default', (context) => {
  const cwd = folderWith(context, { [NAME]: 'loss:\n  window_size: 77\n' });
  const given = { loss: { window_size: 60, spike_threshold: 4 } };
  const { loss } = loadTrainingThresholds(NAME, given, cwd);
  assert.deepEqual([loss.window_size, loss.spike_threshold, loss.absolute_max], [77, 4, 20]);
});

test('mistakes are named with file, line and key, all of them', (context) => {
  const text = [
    'gradient_norm:',
    '  window: 100',
    '  severity: { high: many }',
    'losses: 3',
    'checkpoint: 5',
    'invariants:',
    '  no_nan_weights: "yes"',
  ].join('\n');
  assert.deepEqual(problems(context, text), [
    `${NAME}:4: losses: unknown key; did you mean loss?`,
    `${NAME}:2: gradient_norm.window: unknown key; did you mean window_size?`,
    `${NAME}:3: gradient_norm.severity.high: expected a number from 0 to 1000000, found text "many"`,
    `${NAME}:5: checkpoint: expected a mapping of keys`,
    `${NAME}:7: invariants.no_nan_weights: expected true or false, found text "yes"`,
  ]);
});

test('a file that is not there is an error', (context) => {
  assert.throws(() => loadTrainingThresholds('absent.yaml', {}, folderWith(context, {})), /absent\.yaml: cannot read/);
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadInferenceThresholds, renderInferenceThresholds } from './inference-thresholds.js';
import { folderWith } from './testing.js';

const folder = new URL('../../../../config/thresholds/', import.meta.url).pathname;
const NAME = 'inference_thresholds.yaml';

test('config/thresholds/inference_thresholds.yaml is what the schema says, and reads back as the defaults', (context) => {
  const hint = 'run: node packages/service-kit/dist/config/write-default-file.js';
  assert.equal(readFileSync(`${folder}${NAME}`, 'utf8'), renderInferenceThresholds(), hint);
  const empty = loadInferenceThresholds(NAME, {}, folderWith(context, { [NAME]: '' }));
  assert.deepEqual(loadInferenceThresholds(NAME, {}, folder), empty);
  assert.deepEqual(
    [empty.block_ewma.limit, empty.kl_divergence.severity.high, empty.entropy.max_entropy],
    [4.5, 0.8, 12],
  );
});

test('the file wins over what is given, and that over the default', (context) => {
  const cwd = folderWith(context, { [NAME]: 'logit_ewma:\n  alpha: 0.5\n' });
  const given = { logit_ewma: { alpha: 0.2, warmup_samples: 7 } };
  const { logit_ewma } = loadInferenceThresholds(NAME, given, cwd);
  assert.deepEqual([logit_ewma.alpha, logit_ewma.warmup_samples, logit_ewma.max_drift], [0.5, 7, 0.15]);
});

test('a key that is not there is named with file and line', (context) => {
  const cwd = folderWith(context, { [NAME]: 'block_ewma:\n  lamda: 0.3\n' });
  assert.throws(
    () => loadInferenceThresholds(NAME, {}, cwd),
    /inference_thresholds\.yaml:2: block_ewma\.lamda: unknown key; did you mean lambda\?/,
  );
});

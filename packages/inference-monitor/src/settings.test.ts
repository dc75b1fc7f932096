import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '@sentinel/monitor-kit/testing/until';
import { loadConfig } from '@sentinel/service-kit/config';
import { samplingRateOf, thresholdsOf, withUsablePlaces } from './settings.js';

function configOf(section: Record<string, unknown>) {
  const cwd = temporaryFolder();
  mkdirSync(join(cwd, 'thresholds'));
  writeFileSync(join(cwd, 'thresholds/inference_thresholds.yaml'), 'logit_ewma: { alpha: 0.5 }\n');
  writeFileSync(join(cwd, 's.yaml'), JSON.stringify({ inference_monitor: { tls: { enabled: false }, ...section } }));
  const argv = ['--config', 's.yaml', '--insecure'];
  return loadConfig({ section: 'inference_monitor', argv, env: {}, cwd }).config;
}

test('keys of the section stand where the file of limits says nothing', () => {
  const limits = thresholdsOf(
    configOf({
      ewma: { alpha: 0.2, warmup_samples: 7 },
      kl_divergence: { reference_sample_count: 300, num_bins: 64, binning_strategy: 'uniform' },
      entropy: { window_size: 50 },
      spectral: { enabled: true, fft_window_size: 128 },
    }),
  );
  assert.deepEqual([limits.logit_ewma.alpha, limits.logit_ewma.warmup_samples], [0.5, 7]);
  const { min_reference_samples, num_bins, binning_strategy } = limits.kl_divergence;
  assert.deepEqual([min_reference_samples, num_bins, binning_strategy], [300, 64, 'uniform']);
  assert.deepEqual([limits.entropy.window_size, limits.spectral.enabled], [50, true]);
});

test('a monitor that is off samples nothing', () => {
  assert.equal(samplingRateOf(configOf({ sampling_rate: 0.3 })), 0.3);
  assert.equal(samplingRateOf(configOf({ sampling_rate: 0.3, enabled: false })), 0);
});

test('places that can be written stay; for others there is the folder for temporary files, and that is said', () => {
  const said: string[] = [];
  const log = { warn: (...[, sentence]: unknown[]) => said.push(String(sentence)) };
  const folder = temporaryFolder();
  const good = { data_dir: join(folder, 'd'), socket_path: join(folder, 's', 'i.sock') };
  const { data_dir, socket_path } = withUsablePlaces(configOf(good), log as never);
  assert.deepEqual([{ data_dir, socket_path }, said], [good, []]);
  const bad = { data_dir: '/dev/null/d', socket_path: '/dev/null/s/i.sock' };
  const instead = withUsablePlaces(configOf(bad), log as never);
  assert.ok(instead.data_dir.startsWith(tmpdir()) && instead.socket_path.startsWith(tmpdir()));
  assert.deepEqual(
    said.map((sentence) => /inference_monitor\.(\w+)/.exec(sentence)?.[1]),
    ['data_dir', 'socket_path'],
  );
});

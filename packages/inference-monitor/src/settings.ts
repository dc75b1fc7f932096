import { accessSync, constants, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import {
  type InferenceMonitorConfig,
  type InferenceThresholds,
  loadInferenceThresholds,
} from '@sentinel/service-kit/config';
import type { Logger } from '@sentinel/service-kit/logging';

/** Below the folder for temporary files, where no other can be written. */
const FOLDER = 'sentinel-inference-monitor';

/**
 * Limits of the file, where it says them, else those of the section.
 * @throws ConfigError (exit status 78)
 */
export function thresholdsOf(config: InferenceMonitorConfig): InferenceThresholds {
  const { ewma, kl_divergence: kl, entropy, spectral } = config;
  return loadInferenceThresholds(config.thresholds_file, {
    logit_ewma: { alpha: ewma.alpha, warmup_samples: ewma.warmup_samples },
    kl_divergence: {
      num_bins: kl.num_bins,
      binning_strategy: kl.binning_strategy,
      min_reference_samples: kl.reference_sample_count,
      reference_update_interval_s: kl.reference_update_interval_s,
    },
    entropy,
    spectral,
  });
}

/** Share of the requests that senders are to sample. */
export function samplingRateOf({ enabled, sampling_rate }: InferenceMonitorConfig): number {
  return enabled ? sampling_rate : 0;
}

/**
 * The configuration with places that can be written: a container without volumes has a folder for temporary files alone, and the monitor
 * goes on there. Each key that is replaced is said.
 */
export function withUsablePlaces(config: InferenceMonitorConfig, log: Pick<Logger, 'warn'>): InferenceMonitorConfig {
  const { data_dir, socket_path } = config;
  const data = usable(data_dir, join(tmpdir(), FOLDER));
  const sockets = usable(dirname(socket_path), join(tmpdir(), FOLDER));
  if (data !== data_dir) {
    const lost = 'anomalies that wait and what was learnt of models are lost with this container';
    log.warn(
      { data_dir, instead: data },
      `inference_monitor.data_dir cannot be written: ${lost}; mount a volume there`,
    );
  }
  if (sockets === dirname(socket_path)) return { ...config, data_dir: data };
  const socket = join(sockets, basename(socket_path));
  log.warn(
    { socket_path, instead: socket },
    'the folder of inference_monitor.socket_path cannot be written: a library in the inference server does not reach this monitor; mount a shared volume there',
  );
  return { ...config, data_dir: data, socket_path: socket };
}

function usable(folder: string, otherwise: string): string {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK | constants.X_OK);
    return folder;
  } catch {
    return otherwise;
  }
}

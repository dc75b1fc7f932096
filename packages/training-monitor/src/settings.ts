import {
  loadTrainingThresholds,
  type TrainingMonitorConfig,
  type TrainingThresholds,
} from '@sentinel/service-kit/config';

/**
 * Limits of the file, where it says them, else those of the section.
 * @throws ConfigError (exit status 78)
 */
export function thresholdsOf(config: TrainingMonitorConfig): TrainingThresholds {
  const { gradient_norm, loss, cross_rank } = config;
  const { max_divergence } = cross_rank;
  return loadTrainingThresholds(config.thresholds_file, { gradient_norm, loss, cross_rank: { max_divergence } });
}

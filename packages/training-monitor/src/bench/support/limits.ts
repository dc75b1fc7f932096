import { fileURLToPath } from 'node:url';
import { loadTrainingThresholds, type TrainingThresholds } from '@sentinel/service-kit/config';

const FILE = new URL('../../../../../config/thresholds/training_thresholds.yaml', import.meta.url);

/** The limits that are shipped. */
export function shippedLimits(): TrainingThresholds {
  return loadTrainingThresholds(fileURLToPath(FILE));
}

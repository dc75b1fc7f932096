import { fileURLToPath } from 'node:url';
import { type InferenceThresholds, loadInferenceThresholds } from '@sentinel/service-kit/config';

const FILE = new URL('../../../../../config/thresholds/inference_thresholds.yaml', import.meta.url);

/** The limits that are shipped. */
export function shippedLimits(): InferenceThresholds {
  return loadInferenceThresholds(fileURLToPath(FILE));
}

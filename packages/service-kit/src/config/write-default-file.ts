import { writeFileSync } from 'node:fs';
import { renderDefaultFile } from './default-file.js';
import { renderInferenceThresholds } from './inference-thresholds.js';
import { renderTrainingThresholds } from './training-thresholds.js';

/** Writes the files of config/ that are made from schemas anew. */
const config = new URL('../../../../config/', import.meta.url);
writeFileSync(new URL('sentinel.default.yaml', config), renderDefaultFile());
writeFileSync(new URL('thresholds/inference_thresholds.yaml', config), renderInferenceThresholds());
writeFileSync(new URL('thresholds/training_thresholds.yaml', config), renderTrainingThresholds());

import type { Answer, Replay } from '@sentinel/contracts/sentinel/v1/inference.js';
import type { Sample } from '../analysers/sample.js';
import type { Weights } from '../analysers/weights.js';
import type { Server } from '../grouping/server.js';

/** What a sender tells, checked. */
export type InferenceRecord =
  | { readonly kind: 'hello'; readonly server: Server }
  | { readonly kind: 'sample'; readonly sample: Sample; readonly replay: Replay | undefined }
  | { readonly kind: 'weights'; readonly weights: Weights }
  | { readonly kind: 'answer'; readonly answer: Answer };

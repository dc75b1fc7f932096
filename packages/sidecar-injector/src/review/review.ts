import { SentinelError } from '@sentinel/service-kit/errors';
import type { Injection } from '../injection/inject.js';
import type { Pod } from '../injection/pod.js';

const API_VERSION = 'admission.k8s.io/v1';

/** Bounds of a warning: what is longer the API server would cut. */
const MAX_WARNING = 256;

/** Of the fields that injection reads: spec, containers, one of them, a list of it, an entry, and what that has. */
const NULLS_DEPTH = 8;

/** What the API server asks about. */
export interface Request {
  readonly uid: string;
  readonly pod: Pod;
}

/**
 * Reads an AdmissionReview of admission.k8s.io/v1 about the creation of a pod.
 * @throws SentinelError INVALID_ARGUMENT naming the field
 */
export function requestOf(body: unknown): Request {
  const review = object(body, 'AdmissionReview');
  if (review['kind'] !== 'AdmissionReview' || review['apiVersion'] !== API_VERSION)
    throw invalid('apiVersion', `an AdmissionReview of ${API_VERSION} is wanted`);
  const request = object(review['request'], 'request');
  const uid = request['uid'];
  if (typeof uid !== 'string' || uid === '') throw invalid('request.uid', 'text is wanted');
  const kind = object(request['kind'], 'request.kind');
  if (kind['kind'] !== 'Pod' || (kind['group'] ?? '') !== '') throw invalid('request.kind', 'a Pod is wanted');
  const pod = object(request['object'], 'request.object');
  const spec = object(pod['spec'], 'request.object.spec');
  if (!Array.isArray(spec['containers'])) throw invalid('request.object.spec.containers', 'a list is wanted');
  // What else a pod says the API server has validated.
  return { uid, pod: withoutNulls(pod, NULLS_DEPTH) as unknown as Pod };
}

/** A field that is null is one that is not there, as Kubernetes reads it. @param depth what is deeper stays as it is */
function withoutNulls(value: unknown, depth: number): unknown {
  if (depth === 0 || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((each) => withoutNulls(each, depth - 1));
  const there = Object.entries(value).filter(([, each]) => each !== null);
  return Object.fromEntries(there.map(([name, each]) => [name, withoutNulls(each, depth - 1)]));
}

/** The answer; the pod is always allowed. */
export function responseTo(uid: string, { patch, warnings }: Pick<Injection, 'patch' | 'warnings'>): object {
  const response = {
    uid,
    allowed: true,
    ...(warnings.length === 0 ? {} : { warnings: warnings.map((text) => `sentinel: ${text}`.slice(0, MAX_WARNING)) }),
    ...(patch.length === 0
      ? {}
      : { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') }),
  };
  return { apiVersion: API_VERSION, kind: 'AdmissionReview', response };
}

function object(value: unknown, field: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw invalid(field, 'an object is wanted');
}

function invalid(field: string, message: string): SentinelError {
  return new SentinelError({ code: 'INVALID_ARGUMENT', field, message: `${field}: ${message}` });
}

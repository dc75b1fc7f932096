import type { Replay } from '@sentinel/contracts/sentinel/v1/inference.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { numberOf } from '../../front/sampling/kserve-plan.js';
import { computesOnly } from '../../front/sampling/kserve-request.js';
import { parsedTolerantly } from '../../front/sampling/nonfinite.js';
import { isNumeric } from '../../front/sampling/tensor-stats.js';
import type { ModelAnswer } from '../digest.js';
import { malformed, OF_A_USER, pathOf, type UpstreamHttp } from './http.js';
import { fieldsOf, listOf, textOf } from './json.js';
import { MAX_VALUES } from './openai.js';

/** Of a path that may be computed again: nothing else of the server is reached for another replica. */
const INFER = /^(\/v2\/models\/[A-Za-z0-9._-]{1,128})(?:\/versions\/([A-Za-z0-9._-]{1,64}))?\/infer$/;
const VERSION = /^[A-Za-z0-9._-]{1,64}$/;

/** Where the server writes the length of the JSON part before binary tensors. */
const JSON_LENGTH = 'inference-header-content-length';

export interface TensorAnswer extends ModelAnswer {
  /** Of the model, as the answer names it; '' = it names none. */
  readonly version: string;
}

/** The same request to this version of the model and to no other; null where the version is not known. */
export function pinnedTo(replay: Replay, version: string): Replay | null {
  const [, model] = INFER.exec(replay.path) ?? [];
  return model === undefined || !VERSION.test(version)
    ? null
    : { ...replay, path: `${model}/versions/${version}/infer` };
}

/** Where a server tells how often this version of a model has answered since it was loaded; null where the path names no version. */
export function statisticsPath(path: string): string | null {
  const [, model, version] = INFER.exec(path) ?? [];
  return version === undefined ? null : `${model}/versions/${version}/stats`;
}

/** Where a server tells what a version of a model is made of; null where the path names no version. */
export function metadataOf(path: string): { readonly path: string; readonly model: string } | null {
  const [, model, version] = INFER.exec(path) ?? [];
  if (model === undefined || version === undefined) return null;
  return { path: `${model}/versions/${version}`, model: model.slice('/v2/models/'.length) };
}

/**
 * The same tensors again, to a server with KServe's interface, version 2.
 * @throws SentinelError FAILED_PRECONDITION where another version of the model answers than the path names
 */
export async function replayTensors(http: UpstreamHttp, replay: Replay): Promise<TensorAnswer> {
  const { path, body, contentType, headerLength } = replay;
  const match = INFER.exec(path);
  if (match === null)
    throw new SentinelError({
      code: 'INVALID_ARGUMENT',
      field: 'path',
      message: `${pathOf(path)} is not computed again`,
    });
  if (!computesOnly(body, headerLength))
    throw new SentinelError({
      code: 'INVALID_ARGUMENT',
      field: 'body',
      message: 'is a request that does more than compute',
    });
  const binary = headerLength === 0 ? {} : { 'Inference-Header-Content-Length': String(headerLength) };
  const headers = { 'content-type': contentType === '' ? 'application/json' : contentType, ...binary };
  const answer = await http.post({ path, body, headers, whose: OF_A_USER });
  const length = Number(answer.headers.get(JSON_LENGTH) ?? answer.bytes.length);
  const tensors = tensorsOf(answer.bytes, length, path);
  const asked = match[2] ?? tensors.version;
  if (tensors.version !== asked && tensors.version !== '') throw malformed(path, `is of version ${tensors.version}`);
  return tensors;
}

/** Names, shapes and every bit; not what differs from request to request, such as its id. */
export function tensorsOf(bytes: Buffer, jsonLength: number, path: string): TensorAnswer {
  let answer: unknown;
  try {
    answer = parsedTolerantly(bytes.subarray(0, jsonLength).toString('utf8'), 'null');
  } catch {
    throw malformed(path, 'is no JSON');
  }
  const outputs = listOf(fieldsOf(answer)['outputs']).map(fieldsOf);
  if (outputs.length === 0) throw malformed(path, 'has no outputs');
  const shapes = outputs.map(({ name, datatype, shape, data }) => [
    textOf(name),
    textOf(datatype),
    shape,
    data ?? null,
  ]);
  const numeric = outputs.filter(({ datatype }) => isNumeric(textOf(datatype)));
  const values = numeric.flatMap(({ data }) => listOf(data).flat(8).map(numberOf)).slice(0, MAX_VALUES);
  const outputBytes = Buffer.concat([Buffer.from(JSON.stringify(shapes)), bytes.subarray(jsonLength)]);
  return { tokens: [], values, outputs: outputBytes, version: textOf(fieldsOf(answer)['model_version']) };
}

import type {
  Answer,
  Replay,
  RequestSample,
  ServerHello,
  StreamSamplesRequest,
  TensorStats,
  TokenBlock,
  WeightReport,
} from '@sentinel/contracts/sentinel/v1/inference.js';
import { RequestSample_Kind as Kind } from '@sentinel/contracts/sentinel/v1/inference.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { OutputStats, TokenBlock as Tokens } from '../analysers/sample.js';
import type { WeightShard } from '../analysers/weights.js';
import type { Server } from '../grouping/server.js';
import type { InferenceRecord } from './record.js';

/** Workers of one replica. */
export const MAX_WORKERS = 1_024;

/** Of one answer: 65,536 tokens. */
const MAX_BLOCKS = 1_024;
const MAX_BLOCK_TOKENS = 64;
const MAX_OUTPUTS = 64;
const MAX_REPLAYED_TOKENS = 262_144;
const MAX_BODY_BYTES = 1_048_576;
const MAX_VALUES = 4_096;
const MAX_DIFFERING = 16;
const [MAX_REPLICA_BYTES, MAX_MODEL_BYTES, MAX_FRAMEWORK_BYTES, MAX_NAME_BYTES] = [128, 200, 64, 100];
const [MAX_TENSOR_BYTES, MAX_PATH_BYTES, MAX_FAILURE_BYTES] = [256, 1_024, 500];
/** As the engine takes them: what it refuses must not get into the spool. */
const DEVICE_ID = /^[!-~]{0,128}$/;
const CONTROL = /\p{Cc}/u;

/**
 * Checks a record, and gives it the types of this program. What is not kept is copied from no buffer.
 * @throws SentinelError INVALID_ARGUMENT that names the field
 */
export function checkRecord({ body }: StreamSamplesRequest): InferenceRecord {
  switch (body?.$case) {
    case 'hello':
      return { kind: 'hello', server: hello(body.value) };
    case 'sample':
      return sample(body.value);
    case 'weights':
      return weights(body.value);
    case 'answer':
      return { kind: 'answer', answer: answer(body.value) };
    case undefined:
      throw wrong('body', 'one of the records that this version knows');
  }
}

function hello(value: ServerHello): Server {
  const { replica, model, framework, configHash, dtype, gpus, libraryVersion, testBuild, answers } = value;
  text('hello.replica', replica, MAX_REPLICA_BYTES);
  text('hello.model', model, MAX_MODEL_BYTES);
  text('hello.framework', framework, MAX_FRAMEWORK_BYTES);
  text('hello.dtype', dtype, MAX_FRAMEWORK_BYTES);
  text('hello.library_version', libraryVersion, MAX_FRAMEWORK_BYTES);
  if (gpus.length > MAX_WORKERS) throw wrong('hello.gpus', `at most ${MAX_WORKERS} workers`);
  for (const [k, gpu] of gpus.entries())
    if (!DEVICE_ID.test(gpu)) throw wrong(`hello.gpus[${k}]`, 'an id such as GPU-8f3a…, or nothing');
  const hash = digest('hello.config_hash', configHash, [0, 64]);
  return { replica, model, framework, configHash: hash, dtype, gpus, libraryVersion, testBuild, answers };
}

function sample(value: RequestSample): InferenceRecord {
  const { model, kind, completionTokens, blocks, outputs, replay } = value;
  text('sample.model', model, MAX_MODEL_BYTES);
  if (kind !== Kind.COMPLETION && kind !== Kind.CHAT && kind !== Kind.TENSORS)
    throw wrong('sample.kind', 'COMPLETION, CHAT or TENSORS');
  if (blocks.length > MAX_BLOCKS) throw wrong('sample.blocks', `at most ${MAX_BLOCKS} blocks`);
  if (outputs.length > MAX_OUTPUTS) throw wrong('sample.outputs', `at most ${MAX_OUTPUTS} tensors`);
  return {
    kind: 'sample',
    sample: {
      timeUs: microseconds('sample.time_us', value.timeUs),
      model,
      tokens: kind === Kind.TENSORS ? undefined : completionTokens,
      blocks: blocks.map(block),
      outputs: outputs.map(output),
    },
    replay: replay === undefined ? undefined : checkReplay('sample.replay', replay),
  };
}

function block({ logprobs, entropy, topLogprob, maxLogit, excess, impossible }: TokenBlock): Tokens {
  if (logprobs.length > MAX_BLOCK_TOKENS) throw wrong('sample.blocks.logprobs', `at most ${MAX_BLOCK_TOKENS} tokens`);
  return { logprobs, entropy, topLogprob, maxLogit, excess, impossible };
}

function output({ name, datatype, elements, nonfinite, min, max, mean }: TensorStats): OutputStats {
  text('sample.outputs.name', name, MAX_NAME_BYTES);
  text('sample.outputs.datatype', datatype, MAX_FRAMEWORK_BYTES);
  if (nonfinite > elements) throw wrong('sample.outputs.nonfinite', 'at most the number of elements');
  return { name, elements: Number(elements), nonfinite: Number(nonfinite), min, max, mean };
}

/** @throws SentinelError INVALID_ARGUMENT that names the field, below `field` */
export function checkReplay(field: string, replay: Replay): Replay {
  const { prompt, completion, body, path, contentType, headerLength } = replay;
  for (const [name, list] of Object.entries({ prompt, completion }))
    if (list.length > MAX_REPLAYED_TOKENS) throw wrong(`${field}.${name}`, `at most ${MAX_REPLAYED_TOKENS} tokens`);
  if (body.length > MAX_BODY_BYTES) throw wrong(`${field}.body`, `at most ${MAX_BODY_BYTES} bytes`);
  if (headerLength > body.length) throw wrong(`${field}.header_length`, 'at most the length of the body');
  text(`${field}.path`, path, MAX_PATH_BYTES);
  text(`${field}.content_type`, contentType, MAX_NAME_BYTES);
  // The buffer of the transport is not kept for it.
  return { ...replay, body: Buffer.from(body) };
}

function weights({ timeUs, algorithm, shards, reloaded }: WeightReport): InferenceRecord {
  text('weights.algorithm', algorithm, MAX_FRAMEWORK_BYTES);
  if (shards.length > MAX_WORKERS) throw wrong('weights.shards', `at most ${MAX_WORKERS} workers`);
  const checked = shards.map((shard): WeightShard => {
    const { worker, differing } = shard;
    if (worker >= MAX_WORKERS) throw wrong('weights.shards.worker', `less than ${MAX_WORKERS}`);
    if (differing.length > MAX_DIFFERING) throw wrong('weights.shards.differing', `at most ${MAX_DIFFERING} names`);
    for (const name of differing) text('weights.shards.differing', name, MAX_TENSOR_BYTES);
    const found = digest('weights.shards.digest', shard.digest, [16, 64]);
    const expected = shard.expected.length === 0 ? '' : digest('weights.shards.expected', shard.expected, [16, 64]);
    return { worker, digest: found, expected, differing };
  });
  return {
    kind: 'weights',
    weights: { timeUs: microseconds('weights.time_us', timeUs), algorithm, shards: checked, reloaded },
  };
}

function answer(value: Answer): Answer {
  const { failure, values, tokens } = value;
  text('answer.failure', failure, MAX_FAILURE_BYTES);
  if (value.digest.length > 0) digest('answer.digest', value.digest, [8, 64]);
  for (const [name, list] of Object.entries({ values, tokens }))
    if (list.length > MAX_VALUES) throw wrong(`answer.${name}`, `at most ${MAX_VALUES} values`);
  return { ...value, digest: Buffer.from(value.digest) };
}

function microseconds(field: string, value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw wrong(field, 'microseconds since 1970');
  return Number(value);
}

function text(field: string, value: string, maxBytes: number): void {
  if (Buffer.byteLength(value) > maxBytes || CONTROL.test(value))
    throw wrong(field, `at most ${maxBytes} bytes of text without control characters`);
}

function digest(field: string, bytes: Uint8Array, [least, most]: readonly [number, number]): string {
  const { length } = bytes;
  if (length < least || length > most) throw wrong(field, `${least} to ${most} bytes`);
  return Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('hex');
}

function wrong(field: string, expected: string): SentinelError {
  return new SentinelError({ code: 'INVALID_ARGUMENT', field, message: `${field}: expected ${expected}` });
}

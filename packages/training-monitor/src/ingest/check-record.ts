import {
  CheckpointReport_Event as CheckpointEvent,
  type CheckpointReport,
  type ProductCheck,
  type RankHello,
  type ReplayRound,
  type ReplicaRound,
  type StepReport,
  type StreamStepsRequest,
} from '@sentinel/contracts/sentinel/v1/training.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Sender, TrainingRecord } from '../grouping/record.js';

/** Ranks of one job. */
export const MAX_RANKS = 16_384;

/** Answers to one micro-batch. */
const MAX_ANSWERS = 64;
const MAX_LAYERS = 4_096;
const MAX_ID_BYTES = 128;
const MAX_NAME_BYTES = 256;
const MAX_PATH_BYTES = 1_024;
const MAX_DIFFERING = 16;
/** As the engine takes them: what it refuses must not get into the spool. */
const NODE_NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;
const DEVICE_ID = /^[!-~]{0,128}$/;
const ALGORITHM = /^[a-z0-9-]{0,64}$/;
const CONTROL = /\p{Cc}/u;
/** Of what a replica holds. */
const BLOCK_BYTES = 8;
const MAX_BLOCKS = 64;
const [MIN_DIGEST_BYTES, MAX_DIGEST_BYTES] = [4, 64];

/** What an error calls the record itself. */
type Names = NonNullable<StreamStepsRequest['body']>['$case'];

/** @throws SentinelError INVALID_ARGUMENT that names the field */
export function checkHello(hello: RankHello): Sender {
  const { jobId, runId, rank, ranks, framework, libraryVersion, testBuild } = hello;
  text('hello.job_id', jobId, MAX_ID_BYTES);
  text('hello.run_id', runId, MAX_ID_BYTES);
  text('hello.framework', framework, MAX_ID_BYTES, true);
  text('hello.library_version', libraryVersion, MAX_ID_BYTES, true);
  if (ranks.length === 0 || ranks.length > MAX_RANKS) throw wrong('hello.ranks', `1 to ${MAX_RANKS} ranks`);
  if (rank >= ranks.length) throw wrong('hello.rank', `less than the ${ranks.length} ranks of the job`);
  const places = ranks.map(({ node, gpu, replicaGroup }, k) => {
    // Ranks that are not compared do not know where the others are.
    if (!NODE_NAME.test(node) && (node !== '' || k === rank))
      throw wrong(`hello.ranks[${k}].node`, 'the name of a node');
    if (!DEVICE_ID.test(gpu)) throw wrong(`hello.ranks[${k}].gpu`, 'an id such as GPU-8f3a…, or nothing');
    return { node, gpu, replicaGroup };
  });
  return { jobId, runId, rank, places, framework, libraryVersion, testBuild };
}

/**
 * Checks a record that follows the hello, and gives it the types of this program. What is not kept is copied from no buffer.
 * @throws SentinelError INVALID_ARGUMENT that names the field
 */
export function checkRecord({ body }: StreamStepsRequest, sender: Sender): TrainingRecord {
  switch (body?.$case) {
    case 'step':
      return step(body.value, sender);
    case 'replicas':
      return replicas(body.value, sender);
    case 'replay':
      return replay(body.value, sender);
    case 'checkpoint':
      return checkpoint(body.value, sender);
    case 'product':
      return product(body.value, sender);
    case 'hello':
      throw wrong('hello', 'the first record of a stream, once');
    case undefined:
      throw wrong('body', 'one of the records that this version knows');
  }
}

function step(report: StepReport, { rank, places }: Sender): TrainingRecord {
  const { rankGradientNorms, rankLosses, layerNorms, layers } = report;
  for (const [name, list] of [
    ['rank_gradient_norms', rankGradientNorms] as const,
    ['rank_losses', rankLosses] as const,
  ]) {
    if (list.length > 0 && list.length !== places.length)
      throw wrong(`step.${name}`, `one value for each of the ${places.length} ranks`);
  }
  if (layerNorms.length > MAX_LAYERS) throw wrong('step.layer_norms', `at most ${MAX_LAYERS} layers`);
  if (layers.length > MAX_LAYERS) throw wrong('step.layers', `at most ${MAX_LAYERS} names`);
  for (const name of layers) text('step.layers', name, MAX_NAME_BYTES, true);
  const sample = {
    rank,
    ...moment('step', report),
    loss: report.loss,
    learningRate: report.learningRate,
    localNorm: report.localGradientNorm,
    norm: report.gradientNorm,
    maxWeight: report.maxWeight,
    maxUpdate: report.maxUpdate,
    nonfiniteGradients: Number(report.nonfiniteGradients),
    nonfiniteWeights: Number(report.nonfiniteWeights),
    layerNorms,
    rankNorms: rankGradientNorms,
    rankLosses,
  };
  return { kind: 'step', sample, layers, cost: { overheadUs: report.overheadUs, stepUs: report.stepUs } };
}

function replicas(round: ReplicaRound, { places }: Sender): TrainingRecord {
  const { checksums, blocks } = round;
  if (checksums.length !== places.length)
    throw wrong('replicas.checksums', `one for each of the ${places.length} ranks`);
  const digests = checksums.map((checksum) => digest('replicas.checksums', checksum, true));
  if (blocks.length > 0 && blocks.length !== places.length)
    throw wrong('replicas.blocks', `none, or those of each of the ${places.length} ranks`);
  for (const { length } of blocks)
    if (length % BLOCK_BYTES !== 0 || length > MAX_BLOCKS * BLOCK_BYTES)
      throw wrong('replicas.blocks', `${BLOCK_BYTES} bytes for each of at most ${MAX_BLOCKS} blocks`);
  const held = { checksums: digests, blocks: blocks.map((each) => Buffer.from(each).toString('hex')) };
  return { kind: 'replicas', moment: moment('replicas', round), held };
}

function replay(round: ReplayRound, { places }: Sender): TrainingRecord {
  const { rank, answers, asked, originalMayDiffer } = round;
  if (rank >= places.length) throw wrong('replay.rank', `less than the ${places.length} ranks of the job`);
  if (answers.length > MAX_ANSWERS) throw wrong('replay.answers', `at most ${MAX_ANSWERS} answers`);
  const checked = answers.map((answer) => {
    if (answer.rank >= places.length)
      throw wrong('replay.answers.rank', `less than the ${places.length} ranks of the job`);
    return { rank: answer.rank, digest: digest('replay.answers.digest', answer.digest, true), again: answer.again };
  });
  return {
    kind: 'replay',
    moment: moment('replay', round),
    replay: { rank, answers: checked, asked, originalMayDiffer },
  };
}

function checkpoint(report: CheckpointReport, { rank }: Sender): TrainingRecord {
  const { path, differing, bytes } = report;
  text('checkpoint.path', path, MAX_PATH_BYTES);
  if (differing.length > MAX_DIFFERING) throw wrong('checkpoint.differing', `at most ${MAX_DIFFERING} names`);
  for (const name of differing) text('checkpoint.differing', name, MAX_NAME_BYTES, true);
  const event = eventOf(report.event);
  const found = digest('checkpoint.digest', report.digest, true);
  const expected = digest('checkpoint.expected', report.expected, true);
  const subject = digest('checkpoint.subject', report.subject, true);
  const checked = { rank, event, path, digest: found, subject, expected, bytes: Number(bytes), differing };
  if (!ALGORITHM.test(report.algorithm)) throw wrong('checkpoint.algorithm', 'a name such as sha256');
  const digested = { algorithm: report.algorithm, tensors: Number(report.tensors) };
  return { kind: 'checkpoint', moment: moment('checkpoint', report), report: checked, digested };
}

function eventOf(event: CheckpointReport['event']): 'saved' | 'loaded' {
  if (event === CheckpointEvent.SAVED) return 'saved';
  if (event === CheckpointEvent.LOADED) return 'loaded';
  throw wrong('checkpoint.event', 'SAVED or LOADED');
}

function product(check: ProductCheck, { rank }: Sender): TrainingRecord {
  const { op, layer, shape, dtype, relativeError } = check;
  for (const [name, value] of Object.entries({ op, layer, shape, dtype })) {
    text(`product.${name}`, value, MAX_NAME_BYTES, name === 'layer');
  }
  const checked = { rank, op, layer, shape, dtype, relativeError: Math.abs(relativeError) };
  return { kind: 'product', moment: moment('product', check), product: checked };
}

function moment(name: Names, { step: at, timeUs }: { step: bigint; timeUs: bigint }) {
  if (at > BigInt(Number.MAX_SAFE_INTEGER)) throw wrong(`${name}.step`, 'at most 2^53 - 1');
  if (timeUs > BigInt(Number.MAX_SAFE_INTEGER)) throw wrong(`${name}.time_us`, 'microseconds since 1970');
  return { step: Number(at), timeUs: Number(timeUs) };
}

function text(field: string, value: string, maxBytes: number, allowEmpty = false): void {
  if ((value === '' && !allowEmpty) || Buffer.byteLength(value) > maxBytes || CONTROL.test(value)) {
    throw wrong(field, `${allowEmpty ? 'at most' : '1 to'} ${maxBytes} bytes of text without control characters`);
  }
}

function digest(field: string, bytes: Uint8Array, allowEmpty: boolean): string {
  const { length } = bytes;
  if ((length === 0 && allowEmpty) || (length >= MIN_DIGEST_BYTES && length <= MAX_DIGEST_BYTES)) {
    return Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('hex');
  }
  throw wrong(field, `${MIN_DIGEST_BYTES} to ${MAX_DIGEST_BYTES} bytes`);
}

function wrong(field: string, expected: string): SentinelError {
  return new SentinelError({ code: 'INVALID_ARGUMENT', field, message: `${field}: expected ${expected}` });
}

import {
  type AnomalyEvent,
  AnomalySeverity,
  AnomalyType,
  type Comparison,
  type Job,
  type SavedCheckpoint,
  StreamAnomalyEventsRequest,
  type ComparedAnswer as WireAnswer,
} from '@sentinel/contracts/sentinel/v1/anomaly.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { SPOOL_ID_BYTES } from '@sentinel/service-kit/mac';
import { hasControlCharacter, invalid, NODE_NAME, testBuildRefused } from '../control/handshake.js';
import type {
  AnomalyRecord,
  ComparedAnswer,
  ComparisonRecord,
  InJob,
  MonitorReportRecord,
  StoredCheckpointRecord,
} from '../core.js';
import { DEVICE_ID_RULE, isDeviceId } from '../evidence/device-id.js';
import { countOf, digestOf } from './bounded-fields.js';
import { MAX_BUILD_ID_LENGTH, MAX_SEQUENCE, MAX_TIME_US } from './envelope.js';
import { storedOf } from './saved-checkpoint.js';

/** The limits of proto/sentinel/v1/anomaly.proto. */
const MAX_EVENTS = 256;
const MAX_GPUS = 64;
const MAX_ANSWERS = 1024;
const MAX_JOB_ID_BYTES = 128;
const MAX_FRAMEWORK_BYTES = 128;
const MAX_DETAIL_BYTES = 500;
const SOURCE = /^[a-z0-9/-]{1,64}$/;
const SOURCE_RULE = 'must be 1 to 64 of a-z, 0-9, "-" and "/"';

/** Those of which devices are compared, always or at times: what the engine counts the votes of. */
const COMPARED: ReadonlyMap<AnomalyType, 'always' | 'at times'> = new Map([
  [AnomalyType.REPLICA_MISMATCH, 'always'],
  [AnomalyType.REPLAY_MISMATCH, 'always'],
  [AnomalyType.CHECKPOINT_DIVERGENCE, 'at times'],
  [AnomalyType.CANARY_MISMATCH, 'at times'],
]);

const TYPES = namesOf(AnomalyType);
const SEVERITIES = namesOf(AnomalySeverity);

/** @throws SentinelError INVALID_ARGUMENT */
export function decodeReport(bytes: Uint8Array): StreamAnomalyEventsRequest {
  try {
    return StreamAnomalyEventsRequest.decode(bytes);
  } catch (cause) {
    const message = 'the record cannot be decoded';
    throw new SentinelError({ code: 'INVALID_ARGUMENT', reason: 'MALFORMED', message, cause });
  }
}

/** Who says so, and as which record: what a stream has to know before it looks at the events. @throws SentinelError INVALID_ARGUMENT */
export function checkHeader({ node, spoolId, sequence }: StreamAnomalyEventsRequest): void {
  if (!NODE_NAME.test(node)) throw invalid('node', 'must be letters, digits, ".", "_" or "-", at most 253');
  if (spoolId.length !== SPOOL_ID_BYTES) throw invalid('spool_id', `must have ${SPOOL_ID_BYTES} bytes`);
  if (sequence < 1n || sequence > MAX_SEQUENCE) throw invalid('sequence', 'starts at 1 and has no gap');
}

/**
 * A record of a monitor as the core takes it.
 * @throws SentinelError INVALID_ARGUMENT naming the field, or PERMISSION_DENIED for what a test build saw
 */
export function toReport(request: StreamAnomalyEventsRequest, allowTestBuilds: boolean): MonitorReportRecord {
  const { node, spoolId, sequence, createdUs, buildId, testBuild, events } = request;
  if (testBuild && !allowTestBuilds) throw testBuildRefused();
  if (buildId.length > MAX_BUILD_ID_LENGTH) throw invalid('build_id', `is longer than ${MAX_BUILD_ID_LENGTH}`);
  if (hasControlCharacter(buildId)) throw invalid('build_id', 'has a control character');
  const maker = { node, buildId, testBuild };
  if (events.length < 1 || events.length > MAX_EVENTS) throw invalid('events', `must be 1 to ${MAX_EVENTS}`);
  return {
    kind: 'monitor-report',
    ...maker,
    spoolId: Buffer.from(spoolId).toString('hex'),
    sequence: Number(sequence),
    createdUs: timeOf(createdUs, 'created_us'),
    events: events.map((event, i) => toEvent(event, maker, `events[${i}]`)),
  };
}

type Maker = Pick<MonitorReportRecord, 'node' | 'buildId' | 'testBuild'>;

function toEvent(event: AnomalyEvent, maker: Maker, at: string): MonitorReportRecord['events'][number] {
  if (event.saved !== undefined) return toStored('saved', event, event.saved, maker, at);
  if (event.loaded !== undefined) return toStored('loaded', event, event.loaded, maker, at);
  const { type, source, severity, timeUs, gpus, job, comparison } = event;
  const typeName = nameOf(TYPES, type, `${at}.type`);
  if (!SOURCE.test(source)) throw invalid(`${at}.source`, SOURCE_RULE);
  const seen = {
    ...{ node: maker.node, source, type: typeName, severity: nameOf(SEVERITIES, severity, `${at}.severity`) },
    ...{ timeUs: timeOf(timeUs, `${at}.time_us`), gpus: gpusOf(gpus, `${at}.gpus`) },
    ...jobOf(job, `${at}.job`),
    ...detailOf(event.detail, `${at}.detail`),
  };
  const compared = COMPARED.get(type);
  if (comparison === undefined && compared !== 'always') return toAnomaly(event, seen, maker);
  if (comparison === undefined || compared === undefined) {
    const what = compared === undefined ? 'is not for' : 'is needed for';
    throw invalid(`${at}.comparison`, `${what} ${typeName}`);
  }
  if (seen.job === '') throw invalid(`${at}.job.id`, 'is needed: one round of a job counts once');
  return {
    kind: 'comparison',
    ...seen,
    ...toComparison(comparison, { gpus: seen.gpus, node: maker.node }, `${at}.comparison`),
    ...maker,
  };
}

function toStored(
  kind: StoredCheckpointRecord['kind'],
  { type, source, timeUs, job }: AnomalyEvent,
  checkpoint: SavedCheckpoint,
  { node, buildId, testBuild }: Maker,
  at: string,
): StoredCheckpointRecord {
  if (type !== AnomalyType.UNSPECIFIED) throw invalid(`${at}.type`, `is not for a ${kind} checkpoint`);
  if (!SOURCE.test(source)) throw invalid(`${at}.source`, SOURCE_RULE);
  const { jobGpus: _, ...where } = jobOf(job, `${at}.job`);
  const told = storedOf(checkpoint, `${at}.${kind}`);
  return {
    kind,
    node,
    source,
    timeUs: timeOf(timeUs, `${at}.time_us`),
    ...where,
    ...told,
    buildId,
    testBuild,
  };
}

function toAnomaly(
  { value, limit }: AnomalyEvent,
  seen: Omit<AnomalyRecord, 'kind' | 'gpu'> & { gpus: readonly string[] },
  { testBuild }: Maker,
): AnomalyRecord {
  const { gpus, ...others } = seen;
  return {
    kind: 'anomaly',
    ...others,
    // Of the node, if of no device.
    ...(gpus.length === 0 ? { gpu: '' } : { gpu: gpus.length === 1 ? (gpus[0] ?? '') : '', gpus }),
    ...(Number.isFinite(value) ? { value } : {}),
    ...(Number.isFinite(limit) ? { limit } : {}),
    ...(testBuild ? { testBuild } : {}),
  };
}

function toComparison(
  { answers, agreedBefore, asked, stateEqual }: Comparison,
  accused: Pick<ComparisonRecord, 'gpus' | 'node'>,
  at: string,
): Pick<ComparisonRecord, 'answers' | 'agreedBefore' | 'asked' | 'stateEqual'> {
  if (answers.length < 2 || answers.length > MAX_ANSWERS) throw invalid(`${at}.answers`, `must be 2 to ${MAX_ANSWERS}`);
  if (!answers.some((answer) => isOf(accused, answer)))
    throw invalid(
      `${at}.answers`,
      'must have one of a device that `gpus` names; where it names none, one of this node without a device',
    );
  return {
    answers: answers.map((answer, i) => toAnswer(answer, `${at}.answers[${i}]`)),
    agreedBefore: countOf(agreedBefore, `${at}.agreed_before`),
    asked,
    ...(stateEqual ? { stateEqual } : {}),
  };
}

/** A node has to have one device alone where none is named: that is seen when the record is applied. */
function isOf({ gpus, node }: Pick<ComparisonRecord, 'gpus' | 'node'>, answer: WireAnswer): boolean {
  return gpus.length === 0 ? answer.gpu === '' && answer.node === node : gpus.includes(answer.gpu);
}

function toAnswer({ node, gpu, rank, digest, again, group }: WireAnswer, at: string): ComparedAnswer {
  if (node !== '' && !NODE_NAME.test(node)) throw invalid(`${at}.node`, 'must be the name of a node, or empty');
  if (gpu !== '' && !isDeviceId(gpu)) throw invalid(`${at}.gpu`, `${DEVICE_ID_RULE}, or be empty`);
  const together = group === 0 ? {} : { group };
  return { node, gpu, rank, digest: digestOf(digest, `${at}.digest`), again, ...together };
}

function gpusOf(gpus: readonly string[], at: string): readonly string[] {
  if (gpus.length > MAX_GPUS) throw invalid(at, `has more than ${MAX_GPUS}`);
  const wrong = gpus.findIndex((gpu) => !isDeviceId(gpu));
  if (wrong >= 0) throw invalid(`${at}[${wrong}]`, DEVICE_ID_RULE);
  if (new Set(gpus).size < gpus.length) throw invalid(at, 'names a device twice');
  return gpus;
}

function jobOf(job: Job | undefined, at: string): InJob & { job: string; jobGpus: number } {
  if (job === undefined) return { job: '', jobGpus: 0 };
  const { id, gpus, rank, step, framework } = job;
  checkText(id, MAX_JOB_ID_BYTES, `${at}.id`);
  checkText(framework, MAX_FRAMEWORK_BYTES, `${at}.framework`);
  const where = { job: id, jobGpus: gpus, rank, step: countOf(step, `${at}.step`) };
  return { ...where, ...(framework === '' ? {} : { framework }) };
}

/** A sentence of a monitor, harmless on a terminal. */
function detailOf(detail: string, at: string): { detail?: string } {
  if (Buffer.byteLength(detail) > MAX_DETAIL_BYTES) throw invalid(at, `is longer than ${MAX_DETAIL_BYTES} bytes`);
  return detail === '' ? {} : { detail: detail.replaceAll(/\p{Cc}/gu, ' ') };
}

function checkText(text: string, most: number, at: string): void {
  if (Buffer.byteLength(text) > most) throw invalid(at, `is longer than ${most} bytes`);
  if (hasControlCharacter(text)) throw invalid(at, 'has a control character');
}

function timeOf(us: bigint, at: string): number {
  if (us > MAX_TIME_US) throw invalid(at, 'must be microseconds since 1970');
  return Number(us);
}

/** Name of a value of an enum that is neither unspecified nor of a later release. */
function nameOf(names: ReadonlyMap<number, string>, value: number, at: string): string {
  const name = names.get(value);
  if (value <= 0 || name === undefined) throw invalid(at, `${value} is not known`);
  return name;
}

function namesOf(values: Readonly<Record<string, number>>): ReadonlyMap<number, string> {
  return new Map(Object.entries(values).map(([name, value]) => [value, name]));
}

import { AgentEvent_Kind, StreamProbeResultsRequest, UplinkPayload } from '@sentinel/contracts/sentinel/v1/probe.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { batchMac, type KeyRing, macEquals } from '@sentinel/service-kit/mac';
import type { UplinkRecord } from '../commit/item.js';
import { badMac, hasControlCharacter, invalid, testBuildRefused, unknownKey } from '../control/handshake.js';
import { checkBatch, checkTelemetry } from '../core.js';

/** Payload of one record: an agent's batch of 64 runs has 3 KB. */
export const MAX_PAYLOAD_BYTES = 1024 * 1024;
export const MAX_BUILD_ID_LENGTH = 512;
const MAX_EVENTS = 1_024;
const MAX_DETAIL_LENGTH = 4_096;
const MAX_COUNT = 0xffffffff;
/** Microseconds since 1970 that a clock may show: sums of two stay safe integers. */
export const MAX_TIME_US = 4_000_000_000_000_000n;
export const MAX_SEQUENCE = BigInt(Number.MAX_SAFE_INTEGER);

/** Whose records are expected: the session that the stream belongs to. */
export interface Sender {
  readonly node: string;
  readonly spoolId: string;
}

/** @throws SentinelError INVALID_ARGUMENT */
export function decodeEnvelope(bytes: Uint8Array): StreamProbeResultsRequest {
  try {
    return StreamProbeResultsRequest.decode(bytes);
  } catch (cause) {
    throw malformed('the envelope cannot be decoded', '', cause);
  }
}

/**
 * Proves that the envelope is this sender's, byte for byte.
 * @throws SentinelError RESOURCE_EXHAUSTED, INVALID_ARGUMENT, PERMISSION_DENIED or UNAUTHENTICATED
 */
export function verifyEnvelope(envelope: StreamProbeResultsRequest, sender: Sender, keys: KeyRing): void {
  const { node, spoolId, sequence, payload, keyId, mac } = envelope;
  if (payload.length > MAX_PAYLOAD_BYTES) throw tooLarge(payload.length);
  if (node !== sender.node) throw otherNode(node, sender.node);
  if (Buffer.from(spoolId.buffer, spoolId.byteOffset, spoolId.byteLength).toString('hex') !== sender.spoolId)
    throw invalid('spool_id', "must be that of the connection's hello");
  if (sequence < 1n || sequence > MAX_SEQUENCE) throw invalid('sequence', 'starts at 1 and has no gap');
  const key = keys.agentKey(keyId, node);
  if (key === null) throw unknownKey(keyId, 'key_id');
  if (!macEquals(batchMac(key, { node, spoolId, sequence }, payload), mac)) throw badMac();
}

/**
 * What an authentic payload says, as a record of the core.
 * @throws SentinelError INVALID_ARGUMENT, or PERMISSION_DENIED for what a test build found
 */
export function decodeRecord(
  payload: Uint8Array,
  sender: Sender,
  sequence: number,
  allowTestBuilds: boolean,
): UplinkRecord {
  const decoded = decodePayload(payload);
  const { buildId, testBuild, body } = decoded;
  // Counts accuse nobody: what a test build left behind may be given up, so that its spool is not stuck for ever.
  if (testBuild && !allowTestBuilds && body?.$case !== 'gap') throw testBuildRefused();
  if (buildId.length > MAX_BUILD_ID_LENGTH) throw invalid('payload.build_id', `is longer than ${MAX_BUILD_ID_LENGTH}`);
  if (hasControlCharacter(buildId)) throw invalid('payload.build_id', 'has a control character');
  const origin = { node: sender.node, spoolId: sender.spoolId, sequence, buildId, testBuild };
  switch (body?.$case) {
    case 'probeBatch': {
      const problem = checkBatch(body.value);
      if (problem !== undefined) throw invalid(`payload.probe_batch.${problem.field}`, problem.hint);
      checkTime(body.value.baseTimeUs, 'payload.probe_batch.base_time_us');
      return { kind: 'batch', ...origin, batch: body.value };
    }
    case 'gap': {
      const { runs, executions, mismatches, firstTimeUs, lastTimeUs } = body.value;
      if (Math.max(runs, executions, mismatches) > MAX_COUNT) throw invalid('payload.gap', 'counts too much');
      checkTime(firstTimeUs, 'payload.gap.first_time_us');
      checkTime(lastTimeUs, 'payload.gap.last_time_us');
      return {
        kind: 'gap',
        ...origin,
        runs,
        executions,
        mismatches,
        firstTimeUs: Number(firstTimeUs),
        lastTimeUs: Number(lastTimeUs),
      };
    }
    case 'events': {
      const { events } = body.value;
      if (events.length > MAX_EVENTS) throw invalid('payload.events', `has more than ${MAX_EVENTS} events`);
      return { kind: 'agent-events', ...origin, events: events.map(toEvent) };
    }
    case 'telemetry': {
      const { samples } = body.value;
      const problem = checkTelemetry(samples);
      if (problem !== undefined) throw invalid(`payload.telemetry.${problem.field}`, problem.hint);
      for (const { timeUs } of samples) checkTime(timeUs, 'payload.telemetry.samples.time_us');
      return { kind: 'telemetry', ...origin, samples };
    }
    case undefined:
      throw malformed('the payload has no body', 'payload', undefined);
  }
}

function decodePayload(payload: Uint8Array): UplinkPayload {
  try {
    return UplinkPayload.decode(payload);
  } catch (cause) {
    throw malformed('the payload cannot be decoded', 'payload', cause);
  }
}

const EVENT_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(AgentEvent_Kind).map(([name, number]) => [number, name.toLowerCase()]),
);

/** An agent's words, bounded, and harmless on a terminal. */
export function plainDetail(detail: string): string {
  return detail.slice(0, MAX_DETAIL_LENGTH).replaceAll(/\p{Cc}/gu, ' ');
}

/** Name of an AgentEvent.Kind in lower case. */
export function eventName(kind: number): string {
  return EVENT_NAMES.get(kind) ?? 'unrecognized';
}

function toEvent({
  kind,
  timeUs,
  deviceId,
  detail,
}: {
  kind: number;
  timeUs: bigint;
  deviceId: string;
  detail: string;
}) {
  checkTime(timeUs, 'payload.events.time_us');
  return {
    event: eventName(kind),
    timeUs: Number(timeUs),
    deviceId,
    detail: plainDetail(detail),
  };
}

function checkTime(us: bigint, field: string): void {
  if (us > MAX_TIME_US) throw invalid(field, 'must be microseconds since 1970');
}

function malformed(message: string, field: string, cause: unknown): SentinelError {
  return new SentinelError({ code: 'INVALID_ARGUMENT', reason: 'MALFORMED', message, field, cause });
}

function tooLarge(bytes: number): SentinelError {
  return new SentinelError({
    code: 'RESOURCE_EXHAUSTED',
    reason: 'TOO_LARGE',
    message: `a payload of ${bytes} bytes is above ${MAX_PAYLOAD_BYTES}`,
    field: 'payload',
    hint: 'Set probe_agent.batch_size lower.',
  });
}

export function otherNode(node: string, expected: string): SentinelError {
  return new SentinelError({
    code: 'PERMISSION_DENIED',
    reason: 'NODE_MISMATCH',
    message: `the connection is that of ${expected}, the record that of ${JSON.stringify(node.slice(0, 64))}`,
    field: 'node',
    hint: 'Each agent reports for its own node, over its own connection.',
  });
}

import { Hello, type HelloProof } from '@sentinel/contracts/sentinel/v1/control.js';
import type { Identity } from '@sentinel/service-kit/auth';
import { SentinelError } from '@sentinel/service-kit/errors';
import { helloMac, type KeyRing, macEquals, SPOOL_ID_BYTES } from '@sentinel/service-kit/mac';
import { checkHello, type HelloRecord } from '../core.js';

export const NODE_NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;
const MAX_TEXT = 512;
const MAX_TIME_US = 4_000_000_000_000_000n;

/** Who may join, as configured now. */
export interface Admission {
  readonly keys: KeyRing;
  /** null = open: any node that proves to have a key. */
  readonly enrolled: ReadonlySet<string> | null;
  readonly allowTestBuilds: boolean;
  readonly requireNodeIdentity: boolean;
}

export interface Proven {
  readonly record: HelloRecord;
  /** 32 lower-case hex digits. */
  readonly spoolId: string;
}

/**
 * Judges the answer to a challenge: the agent holds its key, may speak for its node, and describes itself sensibly.
 * @throws SentinelError UNAUTHENTICATED, PERMISSION_DENIED or INVALID_ARGUMENT
 */
export function judgeProof(proof: HelloProof, nonce: Uint8Array, caller: Identity, admission: Admission): Proven {
  const hello = decodeHello(proof.hello);
  checkShape(hello);
  const key = admission.keys.agentKey(hello.keyId, hello.node);
  if (key === null) throw unknownKey(hello.keyId, 'hello.key_id');
  if (!macEquals(helloMac(key, hello.node, hello.spoolId, nonce, proof.hello), proof.mac)) throw badMac();
  const identity = nodeIdentity(hello.node, caller, admission.requireNodeIdentity);
  if (admission.enrolled !== null && !admission.enrolled.has(hello.node)) throw notEnrolled(hello.node);
  if (hello.testBuild && !admission.allowTestBuilds) throw testBuildRefused();
  const record = toRecord(hello, identity);
  const problem = checkHello(record);
  if (problem !== undefined) throw invalid(`hello.${problem.field}`, problem.hint);
  return { record, spoolId: Buffer.from(hello.spoolId).toString('hex') };
}

function decodeHello(bytes: Uint8Array): Hello {
  try {
    return Hello.decode(bytes);
  } catch (cause) {
    throw new SentinelError({
      code: 'INVALID_ARGUMENT',
      reason: 'MALFORMED',
      message: 'the hello cannot be decoded',
      field: 'proof.hello',
      cause,
    });
  }
}

function checkShape(hello: Hello): void {
  if (!NODE_NAME.test(hello.node)) throw invalid('hello.node', 'must be letters, digits, ".", "_" or "-", at most 253');
  if (hello.spoolId.length !== SPOOL_ID_BYTES) throw invalid('hello.spool_id', `must have ${SPOOL_ID_BYTES} bytes`);
  if (hello.agentTimeUs > MAX_TIME_US) throw invalid('hello.agent_time_us', 'must be microseconds since 1970');
  const texts = [
    hello.buildId,
    hello.agentVersion,
    hello.keyId,
    ...hello.devices.flatMap((d) => [
      d.model,
      d.vendor,
      d.driverVersion,
      d.vbiosVersion,
      d.cudaVersion,
      d.serial,
      d.slot,
      d.note,
    ]),
  ];
  if (texts.some((text) => text.length > MAX_TEXT)) throw invalid('hello', `has a text longer than ${MAX_TEXT}`);
  if (texts.some(hasControlCharacter)) throw invalid('hello', 'has a text with a control character');
}

/** The database holds no NUL, and whoever lists devices on a terminal runs no escape sequences. */
export function hasControlCharacter(text: string): boolean {
  return /\p{Cc}/u.test(text);
}

/** A certificate that names a node speaks for that node alone; one that names none proves only that an agent speaks. */
function nodeIdentity(node: string, caller: Identity, required: boolean): HelloRecord['identity'] {
  if (caller.via === 'certificate' && caller.node !== null) {
    if (caller.node === node) return 'certificate';
    throw nodeMismatch(`the certificate is that of ${caller.node}, the hello that of ${node}`);
  }
  if (required) throw nodeMismatch(`${node} showed no certificate with sentinel://node/${node}`);
  return 'shared key';
}

function toRecord(hello: Hello, identity: HelloRecord['identity']): HelloRecord {
  const { node, buildId, testBuild } = hello;
  return {
    kind: 'hello',
    node,
    identity,
    buildId,
    testBuild,
    agentTimeUs: Number(hello.agentTimeUs),
    devices: hello.devices,
  };
}

export function badMac(): SentinelError {
  return new SentinelError({
    code: 'UNAUTHENTICATED',
    reason: 'BAD_MAC',
    message: 'the MAC is wrong',
    field: 'mac',
    hint: "Give the agent the engine's key of this key id.",
  });
}

export function unknownKey(keyId: string, field: string): SentinelError {
  return new SentinelError({
    code: 'UNAUTHENTICATED',
    reason: 'UNKNOWN_KEY',
    message: `there is no key ${JSON.stringify(keyId.slice(0, 64))}`,
    field,
    hint: 'Add it to correlation_engine.hmac_keys, or set probe_agent.hmac_key_id to one that is there.',
  });
}

export function testBuildRefused(): SentinelError {
  return new SentinelError({
    code: 'PERMISSION_DENIED',
    reason: 'TEST_BUILD_REFUSED',
    message: 'test builds, which can inject faults, are refused',
    field: 'test_build',
    hint: 'Set correlation_engine.allow_test_builds on a test fleet only.',
  });
}

function notEnrolled(node: string): SentinelError {
  return new SentinelError({
    code: 'PERMISSION_DENIED',
    reason: 'NOT_ENROLLED',
    message: `${node} is not enrolled`,
    field: 'hello.node',
    hint: 'Add it to correlation_engine.enrolled_nodes.',
  });
}

function nodeMismatch(message: string): SentinelError {
  return new SentinelError({
    code: 'PERMISSION_DENIED',
    reason: 'NODE_MISMATCH',
    message,
    field: 'hello.node',
    hint: 'Set probe_agent.node_name to the name in the certificate.',
  });
}

export function invalid(field: string, hint: string): SentinelError {
  return new SentinelError({ code: 'INVALID_ARGUMENT', message: `${field} ${hint}`, field });
}

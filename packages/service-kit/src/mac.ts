import { createHash, createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto';

/** Derived keys that a ring remembers; beyond it the oldest is derived again when needed. */
const MAX_CACHED_KEYS = 20_000;
const BATCH_DOMAIN = Buffer.from('sentinel-batch-v1', 'ascii');
const HELLO_DOMAIN = Buffer.from('sentinel-hello-v1', 'ascii');
const KEY_INFO = 'sentinel/agent/v1|';
export const MAC_BYTES = 32;
export const SPOOL_ID_BYTES = 16;
const MAX_NODE_BYTES = 0xffff;

/**
 * Key of one agent: HKDF-SHA256 (RFC 5869) of the fleet key, bound to the node's name. A KeyObject, because a key given as bytes is
 * made into one for every MAC, which costs three times the MAC itself.
 */
export function deriveAgentKey(fleetKey: Uint8Array, node: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', fleetKey, Buffer.alloc(0), KEY_INFO + node, MAC_BYTES)));
}

export interface BatchHeader {
  readonly node: string;
  /** 16 bytes. */
  readonly spoolId: Uint8Array;
  readonly sequence: bigint;
}

/** MAC of an uplink envelope; byte layout in proto/sentinel/v1/probe.proto. */
export function batchMac(agentKey: KeyObject, header: BatchHeader, payload: Uint8Array): Buffer {
  const prefix = nodePrefix(BATCH_DOMAIN, header.node, SPOOL_ID_BYTES + 8);
  prefix.set(header.spoolId, prefix.length - SPOOL_ID_BYTES - 8);
  prefix.writeBigUInt64BE(header.sequence, prefix.length - 8);
  return createHmac('sha256', agentKey).update(prefix).update(payload).digest();
}

/** MAC that answers a challenge; byte layout in proto/sentinel/v1/control.proto. `hello` is the serialised Hello. */
export function helloMac(
  agentKey: KeyObject,
  node: string,
  spoolId: Uint8Array,
  nonce: Uint8Array,
  hello: Uint8Array,
): Buffer {
  const prefix = nodePrefix(HELLO_DOMAIN, node, SPOOL_ID_BYTES);
  prefix.set(spoolId, prefix.length - SPOOL_ID_BYTES);
  return createHmac('sha256', agentKey)
    .update(prefix)
    .update(nonce)
    .update(createHash('sha256').update(hello).digest())
    .digest();
}

/** domain | u16be length of node | node | `room` bytes for the caller. */
function nodePrefix(domain: Buffer, node: string, room: number): Buffer {
  const nodeBytes = Buffer.byteLength(node);
  if (nodeBytes > MAX_NODE_BYTES)
    throw new RangeError(`node name of ${nodeBytes} bytes is longer than ${MAX_NODE_BYTES}`);
  const prefix = Buffer.alloc(domain.length + 2 + nodeBytes + room);
  domain.copy(prefix);
  prefix.writeUInt16BE(nodeBytes, domain.length);
  prefix.write(node, domain.length + 2);
  return prefix;
}

/** Constant-time comparison of a received MAC. */
export function macEquals(expected: Uint8Array, received: Uint8Array): boolean {
  return expected.length === received.length && timingSafeEqual(expected, received);
}

/** Fleet keys by key id, with the agents' keys derived once. */
export class KeyRing {
  readonly #fleetKeys: ReadonlyMap<string, Uint8Array>;
  readonly #derived = new Map<string, KeyObject>();

  constructor(fleetKeys: ReadonlyMap<string, Uint8Array>) {
    this.#fleetKeys = fleetKeys;
  }

  /** No key at all: every batch is to be refused. */
  get empty(): boolean {
    return this.#fleetKeys.size === 0;
  }

  /** The key of `node` under `keyId`, or null for an unknown key id. */
  agentKey(keyId: string, node: string): KeyObject | null {
    const cacheKey = `${keyId}\0${node}`;
    const cached = this.#derived.get(cacheKey);
    if (cached !== undefined) return cached;
    const fleetKey = this.#fleetKeys.get(keyId);
    if (fleetKey === undefined) return null;
    const key = deriveAgentKey(fleetKey, node);
    if (this.#derived.size >= MAX_CACHED_KEYS) this.#evictOldest();
    this.#derived.set(cacheKey, key);
    return key;
  }

  #evictOldest(): void {
    const [oldest] = this.#derived.keys();
    if (oldest !== undefined) this.#derived.delete(oldest);
  }
}

import { createHash } from 'node:crypto';

/** Name space of every id that SENTINEL derives (RFC 9562, section 5.5). */
const NAMESPACE = Buffer.from('7d4f0c6e5b3a4f0a9e27c1d2a8b46e31', 'hex');

/** The UUIDv5 of a list of names; different lists never share an id because each name carries its length. */
export function uuidV5(...names: readonly string[]): string {
  const hash = createHash('sha1').update(NAMESPACE);
  for (const name of names) hash.update(`${Buffer.byteLength(name)}:${name}`);
  return format(mark(hash.digest().subarray(0, 16), 5));
}

/** A UUIDv7: milliseconds since the Unix epoch, then random bits. 16 bytes. */
export function uuidV7(wallMs: number, random: Uint8Array): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(wallMs, 0, 6);
  bytes.set(random.subarray(0, 10), 6);
  return mark(bytes, 7);
}

function mark(bytes: Buffer, version: number): Buffer {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | (version << 4);
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes;
}

function format(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

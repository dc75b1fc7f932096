import { hash } from 'node:crypto';

/** What an outbox event is made from: a record of an agent's spool, or a record of the engine's own log. */
export type EventSource =
  | { kind: 'uplink'; node: string; spoolId: string; sequence: number }
  | { kind: 'record'; commitSeq: number };

/**
 * Id of the event that a source made as its `ordinal`-th (from 0), so that a replay makes the same one: the first 16 bytes of
 *
 *   SHA-256(u16be length of node | node (UTF-8) | spool_id (16 bytes) | u64be sequence | u32be ordinal)   for an uplink record,
 *   SHA-256("record" (6 ASCII bytes) | u64be commit_seq | u32be ordinal)                                 for any other record,
 *
 * with version 8 in the high nibble of byte 6 and variant 10 in the high bits of byte 8 (RFC 9562). 32 hex digits.
 * The inputs of both forms differ in length, so neither can be taken for the other.
 */
export function eventId(source: EventSource, ordinal: number): string {
  const id = Buffer.from(
    hash(
      'sha256',
      source.kind === 'uplink' ? uplinkInput(source, ordinal) : recordInput(source.commitSeq, ordinal),
      'buffer',
    ).subarray(0, 16),
  );
  id.writeUInt8((id.readUInt8(6) & 0x0f) | 0x80, 6);
  id.writeUInt8((id.readUInt8(8) & 0x3f) | 0x80, 8);
  return id.toString('hex');
}

function uplinkInput(source: { node: string; spoolId: string; sequence: number }, ordinal: number): Buffer {
  const node = Buffer.from(source.node, 'utf8');
  const input = Buffer.alloc(2 + node.length + 16 + 12);
  input.writeUInt16BE(node.length, 0);
  node.copy(input, 2);
  input.write(source.spoolId, 2 + node.length, 16, 'hex');
  writeTail(input, source.sequence, ordinal);
  return input;
}

function recordInput(commitSeq: number, ordinal: number): Buffer {
  const input = Buffer.alloc(6 + 12);
  input.write('record', 0, 'latin1');
  writeTail(input, commitSeq, ordinal);
  return input;
}

function writeTail(input: Buffer, sequence: number, ordinal: number): void {
  input.writeBigUInt64BE(BigInt(sequence), input.length - 12);
  input.writeUInt32BE(ordinal, input.length - 4);
}

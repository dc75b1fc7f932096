/** What a record is to a full spool: what tells of no fault is given up first, mismatches last, gaps are what is left of both; what is kept makes no room. */
export type EntryKind = 'passing' | 'mismatch' | 'gap' | 'kept';

/** What one record of the log says. A later entry of the same sequence replaces an earlier one. */
export type Entry =
  | { readonly kind: EntryKind; readonly sequence: bigint; readonly payload: Uint8Array }
  /** Everything up to `sequence` has been given or forgotten: older files need not be there any more. */
  | { readonly kind: 'forgotten'; readonly sequence: bigint };

const CODES = { forgotten: 0, passing: 1, mismatch: 2, gap: 3, kept: 4 } as const;
const KINDS = ['forgotten', 'passing', 'mismatch', 'gap', 'kept'] as const;
const HEADER_BYTES = 9;

/** u8 kind | u64be sequence | payload. */
export function encodeEntry(entry: Entry): Buffer {
  const payload = entry.kind === 'forgotten' ? new Uint8Array() : entry.payload;
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  bytes.writeUInt8(CODES[entry.kind], 0);
  bytes.writeBigUInt64BE(entry.sequence, 1);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/** The payload is a view. @throws RangeError for bytes that no spool wrote */
export function decodeEntry(bytes: Buffer): Entry {
  const kind = bytes.length < HEADER_BYTES ? undefined : KINDS[bytes.readUInt8(0)];
  if (kind === undefined) throw new RangeError(`a record of ${bytes.length} bytes is not one of a spool`);
  const sequence = bytes.readBigUInt64BE(1);
  return kind === 'forgotten' ? { kind, sequence } : { kind, sequence, payload: bytes.subarray(HEADER_BYTES) };
}

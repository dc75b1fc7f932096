/** Where a record of a spool stands in the log, and whom it concerns: enough to find it without decoding its payload. */
export interface HistoryHeader {
  readonly node: string;
  /** 32 lower-case hex digits. */
  readonly spoolId: string;
  readonly sequence: number;
  readonly commitSeq: number;
  /** Commit time, and what is added to the agent's clock, microseconds. */
  readonly nowUs: number;
  readonly offsetUs: number;
  readonly devices: readonly string[];
}

export interface HistoryRecord extends HistoryHeader {
  /** The serialised UplinkPayload, as the agent made it. */
  readonly payload: Uint8Array;
}

const LENGTH_BYTES = 4;

/** u32be length of the header | header as JSON (UTF-8) | payload. */
export function encodeHistory(record: HistoryRecord): Buffer {
  const { payload, ...header } = record;
  const json = Buffer.from(JSON.stringify(header), 'utf8');
  const bytes = Buffer.allocUnsafe(LENGTH_BYTES + json.length + payload.length);
  bytes.writeUInt32BE(json.length, 0);
  json.copy(bytes, LENGTH_BYTES);
  bytes.set(payload, LENGTH_BYTES + json.length);
  return bytes;
}

export function decodeHeader(bytes: Buffer): HistoryHeader {
  return JSON.parse(bytes.toString('utf8', LENGTH_BYTES, LENGTH_BYTES + bytes.readUInt32BE(0))) as HistoryHeader;
}

export function decodeHistory(bytes: Buffer): HistoryRecord {
  return { ...decodeHeader(bytes), payload: bytes.subarray(LENGTH_BYTES + bytes.readUInt32BE(0)) };
}

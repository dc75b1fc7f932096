import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import { type ProbeBatch, UplinkPayload } from '@sentinel/contracts/sentinel/v1/probe.js';

/**
 * Payloads of the records of a node are alike. Written so that equal parts are equal bytes, and that what differs lies together and is
 * small, they take half of the space once the cluster has compressed them.
 *
 * A packed payload begins with its kind. PLAIN: the payload follows. RUNS: the payload of a batch follows without its times and
 * digests (its length first), then those: varints of what cannot be foreseen, and the digests.
 */
const PLAIN = 0;
const RUNS = 1;
const EPOCH_US = 10_000_000;

/** @param nowUs of the record's commit; `unpack` needs the same */
export function pack(payload: Uint8Array, nowUs: number): Buffer {
  return asRuns(payload, nowUs) ?? Buffer.concat([Buffer.of(PLAIN), payload]);
}

/** null for anything but a batch that comes back byte for byte: an agent of another version may have written it in another way. */
function asRuns(payload: Uint8Array, nowUs: number): Buffer | null {
  try {
    const { body, ...envelope } = UplinkPayload.decode(payload);
    const packed = body?.$case === 'probeBatch' ? packRuns(envelope, body.value, nowUs) : null;
    return packed !== null && Buffer.compare(unpack(packed, nowUs), payload) === 0 ? packed : null;
  } catch {
    return null;
  }
}

export function unpack(packed: Uint8Array, nowUs: number): Buffer {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.length);
  return bytes[0] === RUNS ? unpackRuns(bytes.subarray(1), nowUs) : bytes.subarray(1);
}

type Envelope = Omit<UplinkPayload, 'body'>;

/** null where a column has another length than the others. */
function packRuns(envelope: Envelope, batch: ProbeBatch, nowUs: number): Buffer | null {
  const { startOffsetUs, durationUs, goldenDigest, epoch } = batch;
  const runs = epoch.length;
  if ([startOffsetUs, durationUs, goldenDigest].some((column) => column.length !== runs)) return null;
  const baseUs = Number(batch.baseTimeUs);
  const slot = Math.floor(baseUs / EPOCH_US);
  const foreseen: ProbeBatch = {
    ...batch,
    baseTimeUs: 0n,
    startOffsetUs: [],
    durationUs: [],
    goldenDigest: [],
    epoch: epoch.map((each) => (each - slot) >>> 0),
  };
  const head = UplinkPayload.encode({
    ...envelope,
    createdUs: 0n,
    body: { $case: 'probeBatch', value: foreseen },
  }).finish();
  const tail = new BinaryWriter();
  tail.sint64(nowUs - baseUs).sint64(Number(envelope.createdUs) - baseUs);
  let end = 0;
  for (const [i, start] of startOffsetUs.entries()) {
    tail.sint64(start - end);
    end = start + (durationUs[i] ?? 0);
  }
  for (const duration of durationUs) tail.uint32(duration);
  for (const digest of goldenDigest) tail.fixed32(digest);
  return Buffer.concat([Buffer.of(RUNS), new BinaryWriter().bytes(head).finish(), tail.finish()]);
}

function unpackRuns(bytes: Uint8Array, nowUs: number): Buffer {
  const reader = new BinaryReader(bytes);
  const { body, ...envelope } = UplinkPayload.decode(reader.bytes());
  const batch = body?.$case === 'probeBatch' ? body.value : null;
  if (batch === null) throw new RangeError('a packed record without runs');
  const baseUs = nowUs - Number(reader.sint64());
  const createdUs = BigInt(baseUs + Number(reader.sint64()));
  const slot = Math.floor(baseUs / EPOCH_US);
  const column = (read: () => number): number[] => batch.epoch.map(read);
  const gaps = column(() => Number(reader.sint64()));
  const durationUs = column(() => reader.uint32());
  const goldenDigest = column(() => reader.fixed32());
  let end = 0;
  const startOffsetUs = gaps.map((gap, i) => {
    const start = end + gap;
    end = start + (durationUs[i] ?? 0);
    return start;
  });
  const epoch = batch.epoch.map((each) => (each + slot) >>> 0);
  const value: ProbeBatch = { ...batch, baseTimeUs: BigInt(baseUs), startOffsetUs, durationUs, goldenDigest, epoch };
  return Buffer.from(UplinkPayload.encode({ ...envelope, createdUs, body: { $case: 'probeBatch', value } }).finish());
}

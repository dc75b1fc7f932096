import type { TensorStats } from '@sentinel/contracts/sentinel/v1/inference.js';

/** Of a larger tensor the first elements are looked at. */
const MAX_ELEMENTS = 262_144;
/** As inference.proto says. */
const MAX_NAME_BYTES = 100;

type Read = (view: DataView, at: number) => number;

/** Little endian, as KServe v2 wants it. */
const FORMATS: Readonly<Record<string, { readonly bytes: number; readonly read: Read }>> = {
  BOOL: { bytes: 1, read: (view, at) => view.getUint8(at) },
  UINT8: { bytes: 1, read: (view, at) => view.getUint8(at) },
  INT8: { bytes: 1, read: (view, at) => view.getInt8(at) },
  UINT16: { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  INT16: { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  UINT32: { bytes: 4, read: (view, at) => view.getUint32(at, true) },
  INT32: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  UINT64: { bytes: 8, read: (view, at) => Number(view.getBigUint64(at, true)) },
  INT64: { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  FP16: { bytes: 2, read: (view, at) => view.getFloat16(at, true) },
  BF16: { bytes: 2, read: (view, at) => bfloat16(view.getUint16(at, true)) },
  FP32: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  FP64: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
};

const scratch = new DataView(new ArrayBuffer(4));

function bfloat16(bits: number): number {
  scratch.setUint32(0, bits * 65_536);
  return scratch.getFloat32(0);
}

export interface Tensor {
  readonly name: string;
  /** Such as "FP32". */
  readonly datatype: string;
  /** Of the shape; -1 = as many as there are. */
  readonly elements: number;
}

/** Whether elements are numbers, and not texts. */
export function isNumeric(datatype: string): boolean {
  return datatype in FORMATS;
}

/** @param data elements one after the other; of text alone the count is told */
export function statsOfBytes(tensor: Tensor, data: Uint8Array): TensorStats {
  const format = FORMATS[tensor.datatype];
  if (format === undefined) return statsOfValues(tensor, []);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const count = Math.floor(data.byteLength / format.bytes);
  const looked = Math.min(count, MAX_ELEMENTS);
  const values = Array.from({ length: looked }, (_, k) => format.read(view, k * format.bytes));
  return statsOfValues({ ...tensor, elements: count }, values);
}

export function statsOfValues({ name, datatype, elements }: Tensor, values: readonly number[]): TensorStats {
  const looked = values.length > MAX_ELEMENTS ? values.slice(0, MAX_ELEMENTS) : values;
  const finite = looked.filter((value) => Number.isFinite(value));
  const empty = finite.length === 0;
  return {
    name: Buffer.from(name).subarray(0, MAX_NAME_BYTES).toString(),
    datatype,
    elements: BigInt(elements < 0 ? values.length : elements),
    nonfinite: BigInt(looked.length - finite.length),
    min: empty ? undefined : finite.reduce((a, b) => Math.min(a, b)),
    max: empty ? undefined : finite.reduce((a, b) => Math.max(a, b)),
    mean: empty ? undefined : finite.reduce((sum, value) => sum + value / finite.length, 0),
  };
}

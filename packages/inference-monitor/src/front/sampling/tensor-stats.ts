import type { TensorStats } from '@sentinel/contracts/sentinel/v1/inference.js';
import { clipped } from './names.js';

/** More than an answer that is looked at has, if not of bits. */
const MAX_ELEMENTS = 2_097_152;
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
  const { bytes, read } = format;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const count = Math.floor(data.byteLength / bytes);
  return statsOf({ ...tensor, elements: count }, Math.min(count, MAX_ELEMENTS), (k) => read(view, k * bytes));
}

export function statsOfValues(tensor: Tensor, values: readonly number[]): TensorStats {
  const elements = tensor.elements < 0 ? values.length : tensor.elements;
  return statsOf({ ...tensor, elements }, Math.min(values.length, MAX_ELEMENTS), (k) => values[k] ?? 0);
}

/** One pass that keeps nothing, as a large tensor holds up what else the thread passes on. */
function statsOf({ name, datatype, elements }: Tensor, count: number, at: (k: number) => number): TensorStats {
  let finite = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let mean = 0;
  for (let k = 0; k < count; k += 1) {
    const value = at(k);
    if (!Number.isFinite(value)) continue;
    finite += 1;
    if (value < min) min = value;
    if (value > max) max = value;
    // A sum may overflow.
    mean += value / finite - mean / finite;
  }
  const range = finite === 0 ? { min: undefined, max: undefined, mean: undefined } : { min, max, mean };
  return {
    name: clipped(name, MAX_NAME_BYTES),
    datatype,
    elements: BigInt(elements),
    nonfinite: BigInt(count - finite),
    ...range,
  };
}

import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import type { TensorStats } from '@sentinel/contracts/sentinel/v1/inference.js';
import { MAX_OUTPUTS } from '../sampling/kserve-plan.js';
import { modelName } from '../sampling/names.js';
import { statsOfBytes, statsOfValues, type Tensor } from '../sampling/tensor-stats.js';

/**
 * The few fields of KServe v2 (package `inference`) that are looked at. Numbers of fields are those of the Open Inference Protocol:
 * ModelInferResponse {1 model_name, 2 model_version, 5 outputs, 6 raw_output_contents}, InferOutputTensor {1 name, 2 datatype, 3 shape, 5 contents},
 * ModelStreamInferResponse {2 infer_response}.
 */

interface Output {
  readonly tensor: Tensor;
  /** Where they are not raw. */
  readonly values: number[];
}

export interface InferAnswer {
  /** With its version. */
  readonly model: string;
  readonly outputs: TensorStats[];
}

/** @throws Error where it is no message */
export function readInferAnswer(message: Uint8Array): InferAnswer {
  let model = '';
  let version = '';
  const outputs: Output[] = [];
  const raw: Uint8Array[] = [];
  eachField(message, (field, reader) => {
    if (field === 1) model = reader.string();
    else if (field === 2) version = reader.string();
    else if (field === 5) outputs.push(readOutput(reader.bytes()));
    else if (field === 6) raw.push(reader.bytes());
    else return false;
    return true;
  });
  return {
    model: modelName(model, version),
    outputs: outputs.slice(0, MAX_OUTPUTS).map(({ tensor, values }, k) => {
      const bytes = raw[k];
      return bytes === undefined ? statsOfValues(tensor, values) : statsOfBytes(tensor, bytes);
    }),
  };
}

/** @returns null where it tells an error alone. @throws Error where it is no message */
export function readStreamAnswer(message: Uint8Array): InferAnswer | null {
  let answer: InferAnswer | null = null;
  eachField(message, (field, reader) => {
    if (field !== 2) return false;
    answer = readInferAnswer(reader.bytes());
    return true;
  });
  return answer;
}

function readOutput(message: Uint8Array): Output {
  let name = '';
  let datatype = '';
  let elements = 1;
  const values: number[] = [];
  eachField(message, (field, reader, wire) => {
    if (field === 1) name = reader.string();
    else if (field === 2) datatype = reader.string();
    else if (field === 3)
      packed(
        reader,
        wire,
        () => Number(reader.int64()),
        (length) => (elements *= length),
      );
    else if (field === 5) readContents(reader.bytes(), values);
    else return false;
    return true;
  });
  return { tensor: { name, datatype, elements }, values };
}

/** InferTensorContents: one list for each type of number; text is not looked at. */
export function readContents(message: Uint8Array, values: number[]): void {
  eachField(message, (field, reader, wire) => {
    const read = CONTENTS[field];
    if (read === undefined) return false;
    packed(
      reader,
      wire,
      () => read(reader),
      (value) => values.push(value),
    );
    return true;
  });
}

const CONTENTS: Readonly<Record<number, (reader: BinaryReader) => number>> = {
  1: (reader) => Number(reader.bool()),
  2: (reader) => reader.int32(),
  3: (reader) => Number(reader.int64()),
  4: (reader) => reader.uint32(),
  5: (reader) => Number(reader.uint64()),
  6: (reader) => reader.float(),
  7: (reader) => reader.double(),
};

export function packed(reader: BinaryReader, wire: WireType, read: () => number, take: (value: number) => void): void {
  if (wire !== WireType.LengthDelimited) {
    take(read());
    return;
  }
  const end = reader.uint32() + reader.pos;
  while (reader.pos < end) take(read());
}

/** @param take returns false for a field that it does not know */
export function eachField(
  message: Uint8Array,
  take: (field: number, reader: BinaryReader, wire: WireType) => boolean,
): void {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (!take(field, reader, wire)) reader.skip(wire);
  }
}

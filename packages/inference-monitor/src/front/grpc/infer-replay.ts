import { Replay } from '@sentinel/contracts/sentinel/v1/inference.js';
import { eachField, packed, readContents } from './infer-messages.js';

/**
 * ModelInferRequest of the Open Inference Protocol: {1 model_name, 2 model_version, 4 parameters, 5 inputs, 6 outputs, 7 raw_input_contents},
 * InferInputTensor {1 name, 2 datatype, 3 shape, 4 parameters, 5 contents}, InferRequestedOutputTensor {1 name, 2 parameters}.
 */
interface Input {
  name: string;
  datatype: string;
  readonly shape: number[];
  /** Where they are not raw. */
  readonly data: number[];
}

/**
 * A request over gRPC as the same request over HTTP, in which form it is computed again.
 * @returns null where it does more than compute, as parameters may say, or HTTP has no form for it. @throws Error where it is no message
 */
export function replayOf(message: Uint8Array): Replay | null {
  let [model, version, isPlain] = ['', '', true];
  const inputs: Input[] = [];
  const outputs: string[] = [];
  const raw: Uint8Array[] = [];
  eachField(message, (field, reader) => {
    if (field === 1) model = reader.string();
    else if (field === 2) version = reader.string();
    else if (field === 5) isPlain = readInput(reader.bytes(), inputs) && isPlain;
    else if (field === 6) isPlain = readOutput(reader.bytes(), outputs) && isPlain;
    else if (field === 7) raw.push(reader.bytes());
    else {
      if (field === 4) isPlain = false;
      return false;
    }
    return true;
  });
  if (!isPlain || model === '' || (raw.length > 0 && raw.length !== inputs.length)) return null;
  const isRaw = raw.length > 0;
  if (!isRaw && !inputs.every(isWritable)) return null;
  const json = JSON.stringify({
    inputs: inputs.map(({ name, datatype, shape, data }, k) => ({
      ...{ name, datatype, shape },
      ...(isRaw ? { parameters: { binary_data_size: raw[k]?.length } } : { data: written(datatype, data) }),
    })),
    ...(outputs.length > 0 ? { outputs: outputs.map((name) => ({ name, ...(isRaw ? BINARY : {}) })) } : {}),
    ...(isRaw && outputs.length === 0 ? { parameters: { binary_data_output: true } } : {}),
  });
  const of = version === '' ? '' : `/versions/${encodeURIComponent(version)}`;
  return Replay.create({
    path: `/v2/models/${encodeURIComponent(model)}${of}/infer`,
    body: Buffer.concat([Buffer.from(json), ...raw]),
    contentType: isRaw ? 'application/octet-stream' : 'application/json',
    headerLength: isRaw ? Buffer.byteLength(json) : 0,
  });
}

const BINARY = { parameters: { binary_data: true } };

/** @returns false where it has parameters, or text */
function readInput(message: Uint8Array, inputs: Input[]): boolean {
  const input: Input = { name: '', datatype: '', shape: [], data: [] };
  let isPlain = true;
  eachField(message, (field, reader, wire) => {
    if (field === 1) input.name = reader.string();
    else if (field === 2) input.datatype = reader.string();
    else if (field === 3)
      packed(
        reader,
        wire,
        () => Number(reader.int64()),
        (length) => input.shape.push(length),
      );
    else if (field === 5) readContents(reader.bytes(), input.data);
    else {
      if (field === 4) isPlain = false;
      return false;
    }
    return true;
  });
  inputs.push(input);
  return isPlain;
}

function readOutput(message: Uint8Array, outputs: string[]): boolean {
  let isPlain = true;
  eachField(message, (field, reader) => {
    if (field !== 1) {
      isPlain = false;
      return false;
    }
    outputs.push(reader.string());
    return true;
  });
  return isPlain;
}

/** All its numbers are there, and JSON can say each exactly. */
function isWritable({ datatype, shape, data }: Input): boolean {
  const elements = shape.reduce((product, length) => product * length, 1);
  const isExact = /^U?INT/.test(datatype) ? Number.isSafeInteger : Number.isFinite;
  return data.length === elements && data.every((value) => isExact(value));
}

function written(datatype: string, data: readonly number[]): readonly (number | boolean)[] {
  return datatype === 'BOOL' ? data.map((value) => value !== 0) : data;
}

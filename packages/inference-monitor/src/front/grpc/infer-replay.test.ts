import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { computesOnly } from '../sampling/kserve-request.js';
import { replayOf } from './infer-replay.js';

const PARAMETER = new BinaryWriter().uint32(10).string('sequence_id').uint32(18).bytes(new Uint8Array()).finish();

/** InferInputTensor. @param contents a field of InferTensorContents, written */
function input(datatype: string, shape: readonly number[], contents?: Uint8Array, parameter?: Uint8Array): Uint8Array {
  const tensor = new BinaryWriter().uint32(10).string('x').uint32(18).string(datatype).uint32(26).fork();
  for (const length of shape) tensor.int64(length);
  tensor.join();
  if (parameter !== undefined) tensor.uint32(34).bytes(parameter);
  if (contents !== undefined) tensor.uint32(42).bytes(contents);
  return tensor.finish();
}

interface Asked {
  readonly inputs: readonly Uint8Array[];
  readonly raw?: readonly Uint8Array[];
  readonly outputs?: readonly string[];
  readonly version?: string;
  readonly parameter?: boolean;
}

function request({ inputs, raw = [], outputs = [], version = '', parameter = false }: Asked): Uint8Array {
  const message = new BinaryWriter().uint32(10).string('m').uint32(26).string('id of the request');
  if (version !== '') message.uint32(18).string(version);
  if (parameter) message.uint32(34).bytes(PARAMETER);
  for (const one of inputs) message.uint32(42).bytes(one);
  for (const name of outputs) message.uint32(50).bytes(new BinaryWriter().uint32(10).string(name).finish());
  for (const one of raw) message.uint32(58).bytes(one);
  return message.finish();
}

const FLOATS = new Uint8Array(Float32Array.of(1.5, Number.NaN).buffer);
const floats = (...values: number[]) => {
  const list = new BinaryWriter().uint32(50).fork();
  for (const value of values) list.float(value);
  return list.join().finish();
};

test('raw tensors are the binary part of the request over HTTP', () => {
  const replay = replayOf(request({ inputs: [input('FP32', [1, 2])], raw: [FLOATS], version: '3' }));
  assert.ok(replay !== null);
  const { path, body, contentType, headerLength } = replay;
  assert.deepEqual([path, contentType], ['/v2/models/m/versions/3/infer', 'application/octet-stream']);
  assert.deepEqual(JSON.parse(Buffer.from(body).toString('utf8', 0, headerLength)), {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], parameters: { binary_data_size: 8 } }],
    parameters: { binary_data_output: true },
  });
  assert.deepEqual(new Uint8Array(body.subarray(headerLength)), FLOATS);
  assert.ok(computesOnly(body, headerLength), 'what asks again takes it');
});

test('typed tensors are JSON', () => {
  const replay = replayOf(request({ inputs: [input('FP32', [2], floats(1.5, 0.1))], outputs: ['y'] }));
  assert.ok(replay !== null);
  assert.deepEqual([replay.path, replay.headerLength], ['/v2/models/m/infer', 0]);
  assert.deepEqual(JSON.parse(Buffer.from(replay.body).toString()), {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [2], data: [1.5, Math.fround(0.1)] }],
    outputs: [{ name: 'y' }],
  });
  const truth = new BinaryWriter().uint32(10).fork().bool(true).bool(false).join().finish();
  const flags = replayOf(request({ inputs: [input('BOOL', [2], truth)] }));
  assert.match(Buffer.from(flags?.body ?? []).toString(), /"data":\[true,false\]/);
});

test('what does more than compute, or what HTTP cannot say exactly, is not computed again', () => {
  const whole = input('FP32', [1, 2]);
  const large = new BinaryWriter()
    .uint32(26)
    .fork()
    .int64(2n ** 60n)
    .join()
    .finish();
  const text = new BinaryWriter().uint32(66).bytes(Buffer.from('a')).finish();
  for (const [why, asked] of Object.entries({
    'a parameter of the request': { inputs: [whole], raw: [FLOATS], parameter: true },
    'a parameter of a tensor': { inputs: [input('FP32', [1, 2], undefined, PARAMETER)], raw: [FLOATS] },
    'a tensor without its numbers': { inputs: [whole] },
    'raw and typed tensors': { inputs: [whole, whole], raw: [FLOATS] },
    'a number that is none': { inputs: [input('FP32', [1], floats(Number.NaN))] },
    'an integer beyond those of JSON': { inputs: [input('INT64', [1], large)] },
    text: { inputs: [input('BYTES', [1], text)] },
  }))
    assert.equal(replayOf(request(asked)), null, why);
  assert.throws(() => replayOf(Buffer.from('no message')));
});

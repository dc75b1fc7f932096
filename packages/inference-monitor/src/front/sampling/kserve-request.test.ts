import assert from 'node:assert/strict';
import { test } from 'node:test';
import { computesOnly } from './kserve-request.js';

const of = (request: unknown): Buffer => Buffer.from(JSON.stringify(request));
const INPUT = { name: 'x', datatype: 'FP32', shape: [1], data: [1] };

test('what says only how tensors are written is computed again', () => {
  assert.ok(computesOnly(of({ id: '1', inputs: [INPUT] }), 0));
  const binary = { ...INPUT, data: undefined, parameters: { binary_data_size: 4 } };
  const asked = of({
    inputs: [binary],
    outputs: [{ name: 'y', parameters: { binary_data: true, classification: 2 } }],
  });
  assert.ok(computesOnly(Buffer.concat([asked, Buffer.alloc(4)]), asked.length));
  assert.ok(computesOnly(of({ inputs: [INPUT], parameters: { binary_data_output: true } }), 0));
});

test('a sequence, shared memory, what is not known, and what is no request are left alone', () => {
  for (const parameters of [{ sequence_id: 7 }, { sequence_id: 7, sequence_start: true }, { priority: 1 }, []])
    assert.ok(!computesOnly(of({ inputs: [INPUT], parameters }), 0), JSON.stringify(parameters));
  const shared = { shared_memory_region: 'r', shared_memory_byte_size: 4 };
  assert.ok(!computesOnly(of({ inputs: [{ ...INPUT, parameters: shared }] }), 0));
  assert.ok(!computesOnly(of({ inputs: [INPUT], outputs: [{ name: 'y', parameters: shared }] }), 0));
  for (const body of ['', '[]', 'null', '{"inputs":1}', '{"inputs":[1]}', '{'])
    assert.ok(!computesOnly(Buffer.from(body), 0), body);
  assert.ok(!computesOnly(of({ inputs: [INPUT] }), 5));
});

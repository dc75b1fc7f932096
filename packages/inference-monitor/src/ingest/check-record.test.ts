import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Answer,
  RequestSample_Kind as Kind,
  RequestSample,
  ServerHello,
  type StreamSamplesRequest,
  WeightReport,
} from '@sentinel/contracts/sentinel/v1/inference.js';
import fc from 'fast-check';
import { checkRecord, MAX_WORKERS } from './check-record.js';

type Body = NonNullable<StreamSamplesRequest['body']>;
const body = (value: Body): StreamSamplesRequest => ({ body: value, seen: 0n, unread: 0n, dropped: 0n });
const hello = (value: Parameters<typeof ServerHello.fromPartial>[0]) =>
  body({ $case: 'hello', value: ServerHello.fromPartial(value) });
const sample = (value: Parameters<typeof RequestSample.fromPartial>[0]) =>
  body({ $case: 'sample', value: RequestSample.fromPartial({ kind: Kind.CHAT, ...value }) });
const weights = (value: Parameters<typeof WeightReport.fromPartial>[0]) =>
  body({ $case: 'weights', value: WeightReport.fromPartial(value) });
const answer = (value: Parameters<typeof Answer.fromPartial>[0]) =>
  body({ $case: 'answer', value: Answer.fromPartial(value) });
const many = <T>(count: number, value: T) => Array.from({ length: count }, () => value);
const replay = (value: object) => sample({ replay: value });

const DIGEST = Buffer.alloc(16, 1);

const bad: readonly (readonly [string, StreamSamplesRequest])[] = [
  ['body', { body: undefined, seen: 0n, unread: 0n, dropped: 0n }],
  ['hello.replica', hello({ replica: 'x'.repeat(129) })],
  ['hello.model', hello({ model: 'a\n' })],
  ['hello.framework', hello({ framework: 'x'.repeat(65) })],
  ['hello.config_hash', hello({ configHash: Buffer.alloc(65) })],
  ['hello.gpus', hello({ gpus: many(MAX_WORKERS + 1, '') })],
  ['hello.gpus[1]', hello({ gpus: ['GPU-1', 'a b'] })],
  ['sample.kind', sample({ kind: Kind.UNSPECIFIED })],
  ['sample.model', sample({ model: 'ä'.repeat(101) })],
  ['sample.time_us', sample({ timeUs: 2n ** 60n })],
  ['sample.blocks', sample({ blocks: many(1_025, {}) })],
  ['sample.blocks.logprobs', sample({ blocks: [{ logprobs: many(65, -1) }] })],
  ['sample.outputs', sample({ outputs: many(65, {}) })],
  ['sample.outputs.name', sample({ outputs: [{ name: 'x'.repeat(101) }] })],
  ['sample.outputs.nonfinite', sample({ outputs: [{ elements: 1n, nonfinite: 2n }] })],
  ['sample.replay.prompt', replay({ prompt: many(262_145, 1) })],
  ['sample.replay.body', replay({ body: Buffer.alloc(1_048_577) })],
  ['sample.replay.header_length', replay({ body: Buffer.alloc(3), headerLength: 4 })],
  ['sample.replay.path', replay({ path: `/${'x'.repeat(1_024)}` })],
  ['weights.shards', weights({ shards: many(MAX_WORKERS + 1, { digest: DIGEST }) })],
  ['weights.shards.worker', weights({ shards: [{ worker: MAX_WORKERS, digest: DIGEST }] })],
  ['weights.shards.digest', weights({ shards: [{ digest: Buffer.alloc(15) }] })],
  ['weights.shards.expected', weights({ shards: [{ digest: DIGEST, expected: Buffer.alloc(65) }] })],
  ['weights.shards.differing', weights({ shards: [{ digest: DIGEST, differing: many(17, 'w') }] })],
  ['answer.digest', answer({ digest: Buffer.alloc(7) })],
  ['answer.values', answer({ values: many(4_097, 1) })],
  ['answer.tokens', answer({ tokens: many(4_097, 1) })],
  ['answer.failure', answer({ failure: 'x'.repeat(501) })],
];
for (const [field, request] of bad) {
  test(`a record with a wrong ${field} is refused`, () => {
    assert.throws(() => checkRecord(request), { code: 'INVALID_ARGUMENT', field });
  });
}

test('digests become text, what is missing stays missing, tensors have no tokens', () => {
  const checked = checkRecord(weights({ shards: [{ worker: 1, digest: DIGEST }], reloaded: true }));
  assert.deepEqual(checked.kind === 'weights' && checked.weights.shards, [
    { worker: 1, digest: '01'.repeat(16), expected: '', differing: [] },
  ]);
  const tokens = checkRecord(sample({ completionTokens: 7, blocks: [{ logprobs: [-1] }] }));
  assert.equal(tokens.kind === 'sample' && tokens.sample.tokens, 7);
  assert.equal(tokens.kind === 'sample' && tokens.sample.blocks[0]?.entropy, undefined);
  const tensors = checkRecord(sample({ kind: Kind.TENSORS, outputs: [{ name: 'o', elements: 4n, mean: 1 }] }));
  assert.deepEqual(tensors.kind === 'sample' && [tensors.sample.tokens, tensors.sample.outputs[0]?.mean], [
    undefined,
    1,
  ]);
});

test('numbers that no model should give are let through: they are what is looked for', () => {
  const numbers = fc.array(fc.double(), { maxLength: 64 });
  fc.assert(
    fc.property(numbers, fc.double(), (logprobs, entropy) => {
      const checked = checkRecord(sample({ blocks: [{ logprobs, entropy }] }));
      assert.deepEqual(checked.kind === 'sample' && checked.sample.blocks[0]?.logprobs, logprobs);
    }),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CheckpointReport,
  CheckpointReport_Event,
  ProductCheck,
  RankHello,
  ReplayRound,
  ReplicaRound,
  StepReport,
  type StreamStepsRequest,
} from '@sentinel/contracts/sentinel/v1/training.js';
import { isLocal } from '../grouping/record.js';
import { senderOf } from '../testing/job.js';
import { checkHello, checkRecord } from './check-record.js';

const SENDER = senderOf(3);
const DIGEST = Buffer.from('00ff'.repeat(8), 'hex');

const HELLO = RankHello.fromPartial({
  jobId: 'j',
  runId: 'r',
  rank: 1,
  ranks: [{ node: 'n' }, { node: 'n', gpu: 'GPU-1' }],
});

const badHellos: readonly (readonly [string, Partial<RankHello>])[] = [
  ['hello.job_id', { jobId: '' }],
  ['hello.job_id', { jobId: 'x'.repeat(129) }],
  ['hello.job_id', { jobId: 'a\u0007' }],
  ['hello.run_id', { runId: '' }],
  ['hello.ranks', { ranks: [] }],
  ['hello.rank', { rank: 2 }],
  ['hello.ranks[0].node', { ranks: [{ node: 'a b', gpu: '', replicaGroup: 0 }] }],
  [
    'hello.ranks[1].node',
    {
      ranks: [
        { node: 'n', gpu: '', replicaGroup: 0 },
        { node: '', gpu: '', replicaGroup: 0 },
      ],
    },
  ],
  ['hello.ranks[0].gpu', { ranks: [{ node: 'n', gpu: 'a b', replicaGroup: 0 }] }],
];
for (const [field, differing] of badHellos) {
  test(`a hello with a wrong ${field} is refused`, () => {
    const hello = { ...HELLO, rank: differing.ranks?.length === 1 ? 0 : HELLO.rank, ...differing };
    assert.throws(() => checkHello(hello), { code: 'INVALID_ARGUMENT', field });
  });
}

test('a rank need not know where the others are', () => {
  const ranks = ['', 'n', ''].map((node) => ({ node, gpu: '', replicaGroup: 0 }));
  const sender = checkHello({ ...HELLO, ranks });
  assert.deepEqual(
    [0, 1, 2].map((rank) => isLocal(sender, rank)),
    [false, true, false],
  );
});

test('a hello becomes a sender', () => {
  const { rank, places, jobId } = checkHello(HELLO);
  assert.deepEqual([rank, jobId, places[1]], [1, 'j', { node: 'n', gpu: 'GPU-1', replicaGroup: 0 }]);
});

type Body = NonNullable<StreamStepsRequest['body']>;
const body = (value: Body): StreamStepsRequest => ({ body: value, dropped: 0n });
const replicasWith = (blocks: Buffer[]) =>
  body({ $case: 'replicas', value: ReplicaRound.fromPartial({ checksums: [DIGEST, DIGEST, DIGEST], blocks }) });
const step = (value: Partial<StepReport>) => body({ $case: 'step', value: StepReport.fromPartial(value) });
const replay = (value: Parameters<typeof ReplayRound.fromPartial>[0]) =>
  body({ $case: 'replay', value: ReplayRound.fromPartial(value) });
const saved = { path: '/c', event: CheckpointReport_Event.SAVED, digest: DIGEST };
const checkpoint = (value: Partial<CheckpointReport>) =>
  body({ $case: 'checkpoint', value: CheckpointReport.fromPartial({ ...saved, ...value }) });

const bad: readonly (readonly [string, StreamStepsRequest])[] = [
  ['body', { body: undefined, dropped: 0n }],
  ['hello', body({ $case: 'hello', value: HELLO })],
  ['step.rank_gradient_norms', step({ rankGradientNorms: [1, 2] })],
  ['step.rank_losses', step({ rankLosses: [1] })],
  ['step.layer_norms', step({ layerNorms: Array.from({ length: 5_000 }, () => 1) })],
  ['step.step', step({ step: 2n ** 60n })],
  ['replicas.checksums', body({ $case: 'replicas', value: ReplicaRound.fromPartial({ checksums: [DIGEST] }) })],
  ['replicas.blocks', replicasWith([Buffer.alloc(8)])],
  ['replicas.blocks', replicasWith([Buffer.alloc(8), Buffer.alloc(7), Buffer.alloc(8)])],
  ['replicas.blocks', replicasWith([Buffer.alloc(8), Buffer.alloc(520), Buffer.alloc(8)])],
  [
    'replicas.checksums',
    body({ $case: 'replicas', value: ReplicaRound.fromPartial({ checksums: [DIGEST, DIGEST, Buffer.alloc(65)] }) }),
  ],
  ['replay.rank', replay({ rank: 3 })],
  ['replay.answers.rank', replay({ rank: 0, answers: [{ rank: 9, digest: DIGEST }] })],
  ['replay.answers.digest', replay({ rank: 0, answers: [{ rank: 0, digest: Buffer.alloc(2) }] })],
  ['replay.answers', replay({ rank: 0, answers: Array.from({ length: 65 }, () => ({ rank: 0, digest: DIGEST })) })],
  ['checkpoint.path', checkpoint({ path: '' })],
  ['checkpoint.subject', checkpoint({ subject: Buffer.alloc(65) })],
  ['checkpoint.event', checkpoint({ event: CheckpointReport_Event.UNSPECIFIED })],
  ['checkpoint.differing', checkpoint({ differing: Array.from({ length: 17 }, () => 'w') })],
  ['product.op', body({ $case: 'product', value: ProductCheck.fromPartial({ shape: '1x1x1', dtype: 'f' }) })],
];
for (const [field, request] of bad) {
  test(`a record with a wrong ${field} is refused`, () => {
    assert.throws(() => checkRecord(request, SENDER), { code: 'INVALID_ARGUMENT', field });
  });
}

test('digests become text, what is missing stays missing', () => {
  const replicas = checkRecord(
    body({
      $case: 'replicas',
      value: ReplicaRound.fromPartial({ step: 4n, checksums: [DIGEST, Buffer.alloc(0), DIGEST] }),
    }),
    SENDER,
  );
  assert.deepEqual(replicas, {
    kind: 'replicas',
    moment: { step: 4, timeUs: 0 },
    held: { checksums: [DIGEST.toString('hex'), '', DIGEST.toString('hex')], blocks: [] },
  });
  const measured = checkRecord(step({ step: 1n, loss: 2, nonfiniteWeights: 3n }), SENDER);
  assert.equal(measured.kind === 'step' && measured.sample.loss, 2);
  assert.equal(measured.kind === 'step' && measured.sample.norm, undefined);
  assert.equal(measured.kind === 'step' && measured.sample.nonfiniteWeights, 3);
});

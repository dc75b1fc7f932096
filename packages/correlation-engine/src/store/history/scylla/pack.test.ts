import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProbeBatch, UplinkPayload } from '@sentinel/contracts/sentinel/v1/probe.js';
import fc from 'fast-check';
import { nodeDay } from '../testing/node-day.js';
import { pack, unpack } from './pack.js';

const NOW_US = 1_790_000_000_000_000;
const RUNS = 1;

function batchOf(batch: Partial<ProbeBatch>, createdUs = 7n): Uint8Array {
  const value = ProbeBatch.fromPartial(batch);
  return UplinkPayload.encode({
    createdUs,
    buildId: 'b',
    testBuild: true,
    body: { $case: 'probeBatch', value },
  }).finish();
}

function comesBack(payload: Uint8Array, nowUs = NOW_US): void {
  assert.equal(Buffer.compare(unpack(pack(payload, nowUs), nowUs), payload), 0);
}

test('what agents send comes back byte for byte, and most of it is packed', () => {
  let packed = 0;
  let records = 0;
  for (const { payload, nowUs } of nodeDay('node', NOW_US, 0)) {
    comesBack(payload, nowUs);
    if (pack(payload, nowUs)[0] === RUNS) packed += 1;
    records += 1;
    if (records === 400) break;
  }
  assert.ok(packed > 390, `${packed} of ${records}`);
});

test('so do times and digests of any size, and columns of different lengths', () => {
  const u32 = fc.array(fc.integer({ min: 0, max: 0xffff_ffff }), { maxLength: 6 });
  const time = fc.bigInt({ min: 0n, max: 2n ** 53n - 1n });
  const columns = fc.record({ epoch: u32, startOffsetUs: u32, durationUs: u32, goldenDigest: u32, baseTimeUs: time });
  fc.assert(fc.property(columns, time, (columns, createdUs) => comesBack(batchOf(columns, createdUs))));
  const square = fc
    .integer({ min: 0, max: 5 })
    .chain((n) =>
      fc.tuple(
        ...Array.from({ length: 4 }, () =>
          fc.array(fc.integer({ min: 0, max: 0xffff_ffff }), { minLength: n, maxLength: n }),
        ),
      ),
    );
  fc.assert(
    fc.property(square, time, ([epoch = [], startOffsetUs = [], durationUs = [], goldenDigest = []], baseTimeUs) =>
      comesBack(batchOf({ epoch, startOffsetUs, durationUs, goldenDigest, baseTimeUs })),
    ),
  );
});

test('fields of a newer agent, and bytes that are no payload at all, are kept', () => {
  const newer = Buffer.concat([
    batchOf({ epoch: [1], startOffsetUs: [2], durationUs: [3], goldenDigest: [4] }),
    Buffer.of(0xfa, 0x01, 1, 9),
  ]);
  comesBack(newer);
  comesBack(Buffer.from('no payload'));
  comesBack(Buffer.alloc(0));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkBatch, MAX_RUNS_PER_BATCH } from './check-batch.js';
import type { RunColumns } from './record.js';
import { columns, mismatch } from './testing/batches.js';

const good = columns(0, 'd', [{}, { single: 2, fails: [{ sm: 2 }] }, { ran: [0, 2] }, { directive: 'burst-1' }]);

test('what an agent sends is accepted', () => {
  assert.equal(checkBatch(good), undefined);
  assert.equal(checkBatch(columns(0, 'd', [])), undefined);
});

const wrong: [string, Partial<RunColumns>, string][] = [
  ['a short column', { epoch: [1] }, 'epoch'],
  ['an unknown device', { deviceIndex: [0, 0, 0, 1] }, 'device_index[3]'],
  ['an unknown directive', { directiveIndex: [0, 0, 2, 0] }, 'directive_index[2]'],
  ['no family', { family: [0, 1, 1, 1] }, 'family[0]'],
  ['an unknown kind', { kind: [1, 8, 1, 1] }, 'kind[1]'],
  ['a negative number', { startOffsetUs: [0, 0, 0, -1] }, 'start_offset_us[3]'],
  ['NaN', { durationUs: [Number.NaN, 0, 0, 0] }, 'duration_us[0]'],
  ['more run than planned', { smsRun: [5, 1, 2, 4] }, 'sms_run[0]'],
  ['a failure of an SM that did not run', { smsRun: [4, 0, 2, 4] }, 'sms_run[1]'],
  ['a device without a name', { deviceIds: [''] }, 'device_ids[0]'],
  ['a device whose name no terminal should print', { deviceIds: ['a\0'] }, 'device_ids[0]'],
  ['a long directive', { directiveIds: ['x'.repeat(129)] }, 'directive_ids[0]'],
  ['a mismatch of no row', { mismatches: [mismatch({ run: 4, sm: 0 })] }, 'mismatches[0].run'],
  ['a mismatch twice', { mismatches: [mismatch({ sm: 0 }), mismatch({ sm: 0 })] }, 'mismatches[1]'],
  ['more siblings than there are', { mismatches: [mismatch({ sm: 0, siblingsRun: 2 })] }, 'mismatches[0].siblings_run'],
  [
    'siblings beyond any device',
    { mismatches: [mismatch({ sm: 0, siblingsRun: 0xffffffff })] },
    'mismatches[0].siblings_run',
  ],
  ['words without end', { mismatches: [mismatch({ sm: 0, operands: Array(65).fill(0) })] }, 'mismatches[0]'],
  ['a bitmap of no row', { partial: [{ run: 9, ran: Uint8Array.of(1) }] }, 'partial[0].run'],
  ['a bitmap twice', { partial: [0, 0].map((run) => ({ run, ran: Uint8Array.of(15) })) }, 'partial[1].run'],
  ['a bitmap of other SMs than ran', { partial: [{ run: 0, ran: Uint8Array.of(7) }] }, 'partial[0].ran'],
  ['an outcome of no row', { outcomes: [{ run: 9, sm: 0, result: 3 }] }, 'outcomes[0].run'],
  ['a canary of a run of another kind', { canaries: [{ run: 0, digests: [] }] }, 'canaries[0].run'],
  ['a canary twice', { kind: [7, 1, 1, 1], canaries: [0, 0].map((run) => ({ run, digests: [1] })) }, 'canaries[1].run'],
  [
    'digests beyond any device',
    { kind: [7, 1, 1, 1], canaries: [{ run: 0, digests: Array(1025).fill(1) }] },
    'canaries[0].digests',
  ],
];
for (const [name, fields, field] of wrong) {
  test(`${name} is refused, and the field named`, () => {
    assert.equal(checkBatch({ ...good, ...fields })?.field, field);
  });
}

test('a batch beyond all bounds is refused', () => {
  const runs = Array.from({ length: MAX_RUNS_PER_BATCH + 1 }, () => ({}));
  assert.equal(checkBatch(columns(0, 'd', runs))?.field, 'family');
});

test('no numbers make it throw', () => {
  const column = fc.array(fc.oneof(fc.integer(), fc.double(), fc.constant(1)), { maxLength: 4 });
  fc.assert(
    fc.property(column, column, column, column, (family, smsRun, flags, singleSm) => {
      checkBatch({ ...good, family, smsRun, flags, singleSm });
    }),
  );
});

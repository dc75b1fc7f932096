import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AuditEvent } from '@sentinel/contracts/sentinel/v1/audit.js';
import { checkEvents } from '../ingest/check-events.js';
import { signCheckpoint } from '../note/checkpoint.js';
import { TEST_KEY } from '../testing/ledgers.js';
import { bytesOf } from '../testing/wire.js';
import { AckCheck } from './ack-check.js';
import { Latencies } from './latencies.js';
import { testEvents } from './test-events.js';

describe('test events', () => {
  it('have 300 bytes, are taken by the ledger, and are marked', () => {
    for (const first of [1, 99_990, 10_000_000]) {
      const events = testEvents('run', first, 20, 1_700_000_000_000_000);
      for (const event of events) assert.equal(AuditEvent.encode(event).finish().length, 300);
      const { drafts } = checkEvents(bytesOf({ producer: 'hammer/1', producerEpoch: 1n, firstSequence: 1n, events }));
      assert.ok(drafts.every(({ injected }) => injected));
    }
  });
});

describe('the check of acknowledgements', () => {
  const root = Buffer.alloc(32, 1);
  const note = (size: number, of = root): string =>
    signCheckpoint({ origin: 'sentinel/test', size, root: of }, TEST_KEY);
  const events = testEvents('run', 1, 2, 0);
  const problemsOf = (...acks: { seqs: bigint[]; checkpoint: string }[]): readonly string[] => {
    const check = new AckCheck(TEST_KEY.verifier);
    for (const ack of acks) check.take({ events }, ack);
    assert.equal(check.broken, check.problems.length);
    return check.problems;
  };

  it('lets pass what was promised', () => {
    assert.deepEqual(problemsOf({ seqs: [1n, 2n], checkpoint: note(3) }, { seqs: [3n, 4n], checkpoint: note(5) }), []);
  });

  it('sees a missing seq, one given twice, one beyond the checkpoint, a bad signature and two roots', () => {
    assert.match(problemsOf({ seqs: [1n], checkpoint: note(3) })[0] ?? '', /1 seqs for 2 events/);
    assert.match(problemsOf({ seqs: [2n, 2n], checkpoint: note(3) })[0] ?? '', /entry 2 .* two events/);
    assert.match(problemsOf({ seqs: [2n, 3n], checkpoint: note(3) })[0] ?? '', /entry 3 .* checkpoint of 3/);
    assert.equal(problemsOf({ seqs: [1n, 2n], checkpoint: note(3).replace('\n3\n', '\n4\n') }).length, 1);
    const forked = problemsOf(
      { seqs: [1n, 2n], checkpoint: note(3) },
      { seqs: [0n, 70_000n], checkpoint: note(3, Buffer.alloc(32, 2)) },
    );
    assert.match(forked[0] ?? '', /two roots/);
  });
});

describe('latencies', () => {
  it('are known by rank to 1 %', () => {
    const latencies = new Latencies();
    for (let ms = 1; ms <= 1000; ms += 1) latencies.add(ms);
    for (const [rank, ms] of [
      [0.5, 500],
      [0.99, 990],
      [1, 1000],
    ] as const) {
      const measured = latencies.quantile(rank);
      assert.ok(measured >= ms && measured < ms * 1.011, `${rank}: ${measured}`);
    }
    assert.ok(Number.isNaN(new Latencies().quantile(0.5)));
  });
});

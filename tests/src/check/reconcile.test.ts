import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type AcknowledgedRecord, type EngineEvidence, reconcile, UnsettledError } from './reconcile.js';

const SPOOL = '018f0000000070008000000000000001';

const row = fc.record({
  device: fc.constantFrom('CPU-a', 'CPU-b'),
  family: fc.constantFrom(1, 2),
  kind: fc.integer({ min: 1, max: 6 }),
  epoch: fc.integer({ min: 1, max: 1000 }),
  index: fc.integer({ min: 0, max: 50 }),
  executions: fc.integer({ min: 1, max: 4 }),
  failing: fc.constantFrom<number[]>([], [], [], [0], [1], [0, 1]),
});
const journal = fc
  .array(fc.array(row, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 12 })
  .map((records): AcknowledgedRecord[] => records.map((rows, i) => ({ spoolId: SPOOL, sequence: i + 1, rows })));

/** An engine that has exactly what these records say. */
function engineOf(records: readonly AcknowledgedRecord[]): EngineEvidence {
  const counters = new Map<string, EngineEvidence['counters'][number]>();
  for (const { device, family, executions, failing } of records.flatMap(({ rows }) => rows)) {
    const before = counters.get(`${device}/${family}`) ?? { device, family, runs: 0, executions: 0, failures: 0 };
    counters.set(`${device}/${family}`, {
      ...before,
      runs: before.runs + 1,
      executions: before.executions + executions,
      failures: before.failures + failing.length,
    });
  }
  return {
    watermarks: [{ spoolId: SPOOL, committedThrough: Math.max(0, ...records.map(({ sequence }) => sequence)) }],
    counters: [...counters.values()],
    failing: records.flatMap(({ spoolId, sequence, rows }) =>
      rows.flatMap(({ failing }, at) => failing.map((sm) => ({ spoolId, sequence, row: at, sm }))),
    ),
    history: records.flatMap(({ spoolId, sequence, rows }) =>
      rows.map((run, at) => ({ ...run, spoolId, sequence, row: at })),
    ),
  };
}

const places = (findings: readonly { where: string }[]): string[] =>
  [...new Set(findings.map(({ where }) => where))].sort();

describe('reconcile', () => {
  test('agreement is neither loss nor double count', () => {
    fc.assert(
      fc.property(journal, (records) => {
        const verdict = reconcile([...records, ...records.slice(-1)], engineOf(records));
        assert.deepEqual([verdict.lost, verdict.doubled], [[], []]);
        assert.equal(verdict.runs, records.flatMap(({ rows }) => rows).length);
      }),
    );
  });

  test('an acknowledged record that the engine never committed is lost, wherever one looks', () => {
    fc.assert(
      fc.property(journal, (records) => {
        const verdict = reconcile(records, engineOf(records.slice(0, -1)));
        const failing = records.at(-1)?.rows.some((run) => run.failing.length > 0) === true;
        const expected = ['counter', ...(failing ? ['failing run'] : []), 'history', 'watermark'];
        assert.deepEqual(places(verdict.lost), expected);
        assert.deepEqual(verdict.doubled, []);
      }),
    );
  });

  test('a record that was counted twice is found by its counters, its failing runs and its history', () => {
    fc.assert(
      fc.property(journal, fc.nat(), (records, pick) => {
        const again = records[pick % records.length] as AcknowledgedRecord;
        const twice = engineOf([...records, again]);
        const verdict = reconcile(records, twice);
        const failing = again.rows.some((run) => run.failing.length > 0);
        assert.deepEqual(places(verdict.doubled), ['counter', ...(failing ? ['failing run'] : []), 'history']);
        assert.deepEqual(verdict.lost, []);
      }),
    );
  });

  test('counters alone, failing runs alone and history alone are each compared', () => {
    const records: AcknowledgedRecord[] = [
      {
        spoolId: SPOOL,
        sequence: 1,
        rows: [{ device: 'CPU-a', family: 1, kind: 1, epoch: 5, index: 0, executions: 2, failing: [1] }],
      },
    ];
    const whole = engineOf(records);
    const [counter] = whole.counters;
    assert.ok(counter);
    assert.deepEqual(places(reconcile(records, { ...whole, counters: [{ ...counter, executions: 4 }] }).doubled), [
      'counter',
    ]);
    assert.deepEqual(places(reconcile(records, { ...whole, failing: [] }).lost), ['failing run']);
    const [run] = whole.history;
    assert.ok(run);
    const changed = reconcile(records, { ...whole, history: [{ ...run, epoch: 6 }] });
    assert.deepEqual([places(changed.lost), places(changed.doubled)], [['history'], ['history']]);
  });

  test('a count that stands in for a forgotten record does not replace what was acknowledged', () => {
    const rows = [{ device: 'CPU-a', family: 1, kind: 1, epoch: 5, index: 0, executions: 2, failing: [] }];
    const records: AcknowledgedRecord[] = [
      { spoolId: SPOOL, sequence: 1, rows },
      { spoolId: SPOOL, sequence: 1, rows: [] },
    ];
    const verdict = reconcile(records, { ...engineOf([]), watermarks: [{ spoolId: SPOOL, committedThrough: 1 }] });
    assert.deepEqual(places(verdict.lost), ['counter', 'history']);
  });

  test('what is committed and not acknowledged yet cannot be judged', () => {
    const records: AcknowledgedRecord[] = [{ spoolId: SPOOL, sequence: 1, rows: [] }];
    const ahead = { ...engineOf(records), watermarks: [{ spoolId: SPOOL, committedThrough: 2 }] };
    assert.throws(() => reconcile(records, ahead), UnsettledError);
  });
});

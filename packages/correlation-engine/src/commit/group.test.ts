import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type CoreState, emptyState, install, saveState } from '../core.js';
import { columns, SMS } from '../evidence/testing/batches.js';
import { CONFIG } from '../evidence/testing/config.js';
import type { Head } from '../store/commit-rows.js';
import { Spools } from '../store/spools.js';
import { buildGroup, type Group } from './group.js';
import type { Item, UplinkItem } from './item.js';

const SPOOL = 'ab'.repeat(16);
const START_US = 1_700_000_000_000_000;
const nothing = (): void => {};

/** What a committer does with groups, without a database. */
class Log {
  readonly state: CoreState = emptyState(CONFIG);
  readonly spools = new Spools();
  readonly counted = new Map<string, number>();
  head: Head = { commitSeq: 0, nowUs: START_US };
  epoch = 0;

  commit(items: readonly Item[]): Group {
    const group = buildGroup({
      state: this.state,
      head: this.head,
      nowUs: START_US,
      items,
      epochOf: () => this.epoch,
      archived: [],
    });
    install(group.draft);
    this.head = group.rows.to;
    this.epoch += group.rows.hellos.length;
    for (const row of group.rows.marks) this.spools.open(row.node, row.spool_id).committed = row.committed_through;
    for (const row of group.rows.counters)
      this.counted.set(row.device_id, (this.counted.get(row.device_id) ?? 0) + row.runs);
    return group;
  }

  hello(): Group {
    const device = {
      id: 'CPU-a',
      model: 'm',
      vendor: 'v',
      sms: SMS,
      driverVersion: '',
      serial: '',
      note: '',
      families: [],
    };
    const record = {
      kind: 'hello' as const,
      node: 'a',
      identity: 'shared key' as const,
      buildId: 'b',
      testBuild: false,
      agentTimeUs: START_US,
      devices: [device],
    };
    return this.commit([{ kind: 'hello', record, spoolId: SPOOL, committed: nothing, failed: nothing }]);
  }

  batch(sequence: number, epoch = this.epoch): UplinkItem {
    const batch = columns(START_US, 'CPU-a', [
      { index: sequence, ...(sequence % 7 === 0 ? { fails: [{ sm: 1 }] } : {}) },
    ]);
    const record = {
      kind: 'batch' as const,
      node: 'a',
      spoolId: SPOOL,
      sequence,
      buildId: 'b',
      testBuild: false,
      batch,
    };
    return {
      kind: 'uplink',
      record,
      mark: this.spools.open('a', SPOOL),
      epoch,
      payload: new Uint8Array(1),
      committed: nothing,
      failed: nothing,
    };
  }
}

describe('one transaction of records', () => {
  it('counts each record once, whatever is repeated, reordered or replayed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 20 }), { maxLength: 12 }),
        (groups) => {
          const log = new Log();
          log.hello();
          let through = 0;
          for (const sequences of groups) {
            const group = log.commit(sequences.map((sequence) => log.batch(sequence)));
            for (const sequence of sequences) if (sequence === through + 1) through += 1;
            assert.equal(log.spools.open('a', SPOOL).committed, through);
            assert.equal(group.logged.length + group.duplicates.length + group.refused.length, sequences.length);
          }
          assert.equal(log.counted.get('CPU-a') ?? 0, through);
          const straight = new Log();
          straight.hello();
          for (let sequence = 1; sequence <= through; sequence += 1) straight.commit([straight.batch(sequence)]);
          assert.deepEqual(saveState(log.state), saveState(straight.state));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('takes nothing from a connection that a newer hello has superseded', () => {
    const log = new Log();
    log.hello();
    const old = log.batch(1);
    log.hello();
    const group = log.commit([old]);
    assert.deepEqual(
      group.refused.map(({ error }) => error.reason),
      ['STALE_OWNER'],
    );
    assert.deepEqual(group.rows.marks, []);
  });

  it('refuses a record that the core cannot take, and applies the others as if it had never come', () => {
    const log = new Log();
    log.hello();
    const broken = log.batch(2);
    Object.defineProperty(broken.record, 'batch', {
      get: () => {
        throw new Error('a defect');
      },
    });
    const group = log.commit([log.batch(1), broken, log.batch(3)]);
    assert.equal(log.spools.open('a', SPOOL).committed, 1);
    assert.deepEqual(
      group.refused.map(({ error }) => error.reason),
      ['INTERNAL', 'SEQUENCE_GAP'],
    );
  });

  it('says where a run of records stands in the log with one row', () => {
    const log = new Log();
    log.hello();
    const { rows } = log.commit([1, 2, 3, 4].map((sequence) => log.batch(sequence)));
    assert.deepEqual(rows.unarchived, [
      {
        node: 'a',
        spool_id: SPOOL,
        first_sequence: 1,
        last_sequence: 4,
        first_commit_seq: 2,
        now_us: START_US,
        offset_us: 0,
      },
    ]);
    assert.deepEqual([rows.from.commitSeq, rows.to.commitSeq], [1, 5]);
  });
});

import type { CommitRows, Head } from '../commit-rows.js';
import type { CounterTable, ObservationTable, OutboxTable, TransitionTable } from '../schema.js';

/** A transaction of one record that changes nothing, and what the caller adds. */
export function rowsAfter(from: Head, rows: Partial<CommitRows> = {}): CommitRows {
  return {
    from,
    to: { commitSeq: from.commitSeq + 1, nowUs: from.nowUs + 1 },
    changes: { devices: [], nodes: [], saved: [], fleet: null, config: null, canaries: null, removed: [] },
    moved: [],
    counters: [],
    observations: [],
    transitions: [],
    outbox: [],
    records: [],
    orders: [],
    proposals: [],
    trustSnapshots: [],
    fleetDirectives: [],
    liveUpdates: [],
    marks: [],
    unarchived: [],
    spools: [],
    hellos: [],
    keepsBase: false,
    archived: [],
    ...rows,
  };
}

export function counter(fields: Partial<CounterTable> = {}): CounterTable {
  return {
    device_id: 'd',
    family: 1,
    runs: 1,
    executions: 4,
    failures: 0,
    not_run: 0,
    first_run_us: 5,
    last_run_us: 5,
    ...fields,
  };
}

export function transition(fields: Partial<TransitionTable> = {}): Omit<TransitionTable, 'ledger_seq'> {
  const { ledger_seq: _, ...row } = {
    event_id: 'e',
    commit_seq: 1,
    device_id: 'd',
    time_us: 1,
    from_state: 'HEALTHY',
    to_state: 'SUSPECT',
    reason: 'because',
    actor: '',
    injected: false,
    ledger_seq: null,
    evidence: null,
    ...fields,
  };
  return row;
}

export function event(fields: Partial<OutboxTable> = {}): Omit<OutboxTable, 'number' | 'relay_epoch'> {
  return {
    commit_seq: 1,
    ordinal: 0,
    event_id: 'e',
    type: 'TRANSITION',
    gpu: 'd',
    event_us: 1,
    injected: false,
    detail: '{}',
    ...fields,
  };
}

export function observation(fields: Partial<ObservationTable> = {}): ObservationTable {
  return {
    node: 'n',
    spool_id: 's',
    sequence: 1,
    row: 0,
    sm: 0,
    commit_seq: 1,
    device_id: 'd',
    time_us: 1,
    family: 1,
    kind: 1,
    epoch: 1,
    seed_index: 0,
    lane: 0,
    iteration: 0,
    operands: [1, 2 ** 32 - 1],
    expected: [],
    actual: [3],
    expected_digest: 2 ** 32 - 1,
    actual_digest: 0,
    mismatch_count: 1,
    siblings_run: 3,
    siblings_passed: 3,
    siblings_same_digest: 0,
    sm_stable: true,
    counted: true,
    answer: false,
    held_by: null,
    injected: false,
    warp: null,
    sub_partition: null,
    within_iterations: null,
    address: null,
    ...fields,
  };
}

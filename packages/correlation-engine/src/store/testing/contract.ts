import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { silentLogger } from '@sentinel/service-kit/logging';
import { eventually } from '@sentinel/test-kit';
import type { DatabasePlace } from '../../testing/databases.js';
import type { CommitRows, Head } from '../commit-rows.js';
import type { LoadedState } from '../loaded-state.js';
import { StateStore } from '../state-store.js';
import { StaleOwnerError, UnstorableError } from '../writer.js';
import { counter, event, observation, rowsAfter, transition } from './rows.js';

const TABLES = [
  'devices',
  'nodes',
  'saved_digests',
  'facts',
  'node_owners',
  'spools',
  'unarchived',
  'counters',
  'observations',
  'transitions',
  'records',
  'orders',
  'outbox',
  'fleet_directives',
  'log_bases',
  'log_base_rows',
]; // prettier-ignore

/** Whatever the state lies in keeps this. */
export function stateStoreContract(
  name: string,
  make: () => Promise<DatabasePlace>,
  skip: string | false = false,
): void {
  describe(`the contract of a store of state: ${name}`, { skip }, () => {
    let place: DatabasePlace;
    let store: StateStore;
    let state: LoadedState;
    let head: Head;
    /** Connections that were lost. */
    let lost = 0;
    before(async () => {
      place = await make();
      const first = open();
      await first.open();
      await first.release();
    });
    after(async () => {
      await place.remove();
    });
    beforeEach(async () => {
      await place.sql(`truncate ${TABLES.join(', ')}`);
      await place.sql('update head set commit_seq = 0, now_us = 0');
      store = open();
      state = await store.open();
      head = state.head;
      lost = 0;
    });
    afterEach(async () => {
      await store.release();
      await store.db.destroy();
    });
    const open = (startWaitMs?: number): StateStore => {
      const onLost = (): void => {
        lost += 1;
      };
      return new StateStore(place.database(), silentLogger(), onLost, startWaitMs);
    };
    const commit = async (rows: Partial<CommitRows> = {}) => {
      const all = rowsAfter(head, rows);
      const epochs = await store.commit(all);
      head = all.to;
      return epochs;
    };
    const reread = async (): Promise<LoadedState> => {
      state = await store.recover();
      head = state.head;
      return state;
    };
    const count = async (table: string): Promise<number> =>
      Number((await place.sql(`select count(*) as n from ${table}`))[0]?.['n']);

    it('begins empty, and gives back what was committed', async () => {
      assert.deepEqual([state.head, state.devices, state.config], [{ commitSeq: 0, nowUs: 0 }, [], null]);
      const device = { id: 'd', node: 'n', state: 'HEALTHY', of: 'the core' } as never;
      const node = { node: 'n', connected: true } as never;
      const config = { mode: 'observe' } as never;
      await commit({
        hellos: [{ node: 'n', spool_id: 's' }],
        changes: { devices: [device], nodes: [node], saved: [], fleet: null, config, canaries: null, removed: [] },
      });
      await commit({
        marks: [{ node: 'n', spool_id: 's', committed_through: 7, epoch: 1 }],
        unarchived: [
          {
            node: 'n',
            spool_id: 's',
            first_sequence: 1,
            last_sequence: 7,
            first_commit_seq: 2,
            now_us: 2,
            offset_us: -5,
          },
        ],
        counters: [counter()],
      });
      const { devices, nodes, config: kept, spools, unarchived, owners, counters, head: at } = await reread();
      assert.deepEqual([devices, nodes, kept, at.commitSeq], [[device], [node], config, 2]);
      assert.deepEqual(spools, [{ node: 'n', spool_id: 's', committed_through: 7, archived_through: 0 }]);
      assert.deepEqual([unarchived[0]?.offset_us, owners, counters], [-5, [{ node: 'n', epoch: 1 }], [counter()]]);
    });

    it('adds counters up, and replaces devices', async () => {
      const body = (state: string) => ({ id: 'd', node: 'n', state }) as never;
      const changes = (state: string) => ({
        devices: [body(state)],
        nodes: [],
        saved: [],
        fleet: null,
        config: null,
        canaries: null,
        removed: [],
      });
      await commit({ counters: [counter({ runs: 2, first_run_us: 5, last_run_us: 9 })], changes: changes('HEALTHY') });
      await commit({
        counters: [counter({ runs: 3, failures: 1, first_run_us: 3, last_run_us: 7 })],
        changes: changes('SUSPECT'),
      });
      const { counters, devices } = await reread();
      assert.deepEqual(counters, [counter({ runs: 5, executions: 8, failures: 1, first_run_us: 3, last_run_us: 9 })]);
      assert.deepEqual(
        devices.map((device) => device.state),
        ['SUSPECT'],
      );
    });

    it('keeps what jobs saved, until the core gives it up', async () => {
      const changes = { devices: [], nodes: [], fleet: null, config: null, canaries: null, removed: [] };
      const row = (job: string, digests: readonly string[], newestUs = 1) => {
        const parts = digests.map((digest) => ({ subject: '5a', digest, rank: 0, step: 9 }));
        return { job, node: 'n', newestUs, parts };
      };
      await commit({ changes: { ...changes, saved: [row('a', ['aa']), row('b', ['bb'])] } });
      await commit({ changes: { ...changes, saved: [row('a', ['cc', 'aa'], 2), row('b', [])] } });
      assert.deepEqual((await reread()).saved, [row('a', ['cc', 'aa'], 2)]);
    });

    it('removes devices that the core knows no more', async () => {
      const changes = { devices: [], nodes: [], saved: [], fleet: null, config: null, canaries: null, removed: [] };
      const devices = ['a', 'b'].map((id) => ({ id, node: 'n', state: 'HEALTHY' }) as never);
      await commit({ changes: { ...changes, devices } });
      await commit({ changes: { ...changes, removed: ['a', 'none'] } });
      assert.deepEqual(
        (await reread()).devices.map(({ id }) => id),
        ['b'],
      );
    });

    it('raises an epoch with each hello, and takes marks from the newest owner alone', async () => {
      const hello = [{ node: 'n', spool_id: 's' }];
      assert.deepEqual([...(await commit({ hellos: hello }))], [['n', 1]]);
      assert.deepEqual([...(await commit({ hellos: hello }))], [['n', 2]]);
      const mark = (committed_through: number, epoch: number) => [
        { node: 'n', spool_id: 's', committed_through, epoch },
      ];
      await commit({ marks: mark(5, 2) });
      await assert.rejects(commit({ marks: mark(9, 1), counters: [counter()] }), StaleOwnerError);
      assert.equal(await count('counters'), 0, 'nothing of that transaction was written');
      await assert.rejects(commit({ marks: mark(4, 2) }), StaleOwnerError, 'a mark does not fall');
      await commit({ marks: mark(9, 2) });
      assert.equal((await reread()).spools[0]?.committed_through, 9);
    });

    it('takes a transaction only where the log still stands where it was read', async () => {
      await commit();
      const behind = rowsAfter({ commitSeq: 0, nowUs: 0 }, { counters: [counter()] });
      await assert.rejects(store.commit(behind), /another engine writes it/);
      assert.equal(await count('counters'), 0);
      await commit({ counters: [counter()] });
    });

    it('blames the rows where they are to blame, writes none of them, and goes on', async () => {
      const twice = [transition({ event_id: 'same' }), transition({ event_id: 'same' })];
      await assert.rejects(commit({ transitions: twice, counters: [counter()] }), UnstorableError);
      await assert.rejects(commit({ counters: [counter({ runs: 2 ** 70 })] }), UnstorableError);
      assert.deepEqual([await count('transitions'), await count('counters'), lost], [0, 0, 0]);
      await commit({ transitions: [transition()] });
      assert.equal(await count('transitions'), 1);
    });

    it('keeps whatever text and numbers come: NUL and halves of characters become U+FFFD', async () => {
      const odd = `p@ss'"\\ \u{1f600} é \0 ${'\ud800'}`;
      const seen = observation({ address: 2 ** 52, held_by: odd });
      await commit({ observations: [seen], transitions: [transition({ reason: odd, evidence: ['a', odd] })] });
      const kept = odd.replace('\0', '\ufffd').toWellFormed();
      const [row] = await store.db.selectFrom('observations').selectAll().execute();
      assert.deepEqual(row, { ...seen, held_by: kept });
      const [moved] = await store.db.selectFrom('transitions').selectAll().execute();
      assert.deepEqual([moved?.reason, moved?.evidence, moved?.ledger_seq], [kept, ['a', kept], null]);
    });

    it('moves the rows of a device that is replaced, before those of the same transaction', async () => {
      await commit({ counters: [counter()], transitions: [transition()] });
      await commit({ moved: [{ from_id: 'd', to_id: 'd@1' }], counters: [counter({ runs: 9 })] });
      const { counters } = await reread();
      assert.deepEqual(counters.map(({ device_id, runs }) => [device_id, runs]).sort(), [
        ['d', 9],
        ['d@1', 1],
      ]);
      assert.equal((await place.sql('select device_id from transitions'))[0]?.['device_id'], 'd@1');
    });

    it('forgets what is archived, and no more', async () => {
      await commit({ hellos: [{ node: 'n', spool_id: 's' }] });
      const range = (first: number, last: number) => ({
        node: 'n',
        spool_id: 's',
        first_sequence: first,
        last_sequence: last,
        first_commit_seq: first,
        now_us: 1,
        offset_us: 0,
      });
      await commit({ unarchived: [range(1, 3), range(4, 6)] });
      await commit({ archived: [{ node: 'n', spool_id: 's', archived_through: 5 }] });
      const { unarchived, spools } = await reread();
      assert.deepEqual([unarchived.map((row) => row.first_sequence), spools[0]?.archived_through], [[4], 5]);
    });

    it('keeps events for the ledger in the order of their commits', async () => {
      await commit({
        outbox: [event({ event_id: 'a' }), event({ event_id: 'b', ordinal: 1, detail: '{"text":"é"}' })],
      });
      const rows = await store.db.selectFrom('outbox').selectAll().orderBy('commit_seq').orderBy('ordinal').execute();
      assert.deepEqual(
        rows.map((row) => [row.event_id, row.detail, row.number]),
        [
          ['a', '{}', null],
          ['b', '{"text":"é"}', null],
        ],
      );
    });

    it('keeps a copy of the state that the log can begin with, as the transaction leaves it', async () => {
      await commit({ counters: [counter()] });
      await commit({ counters: [counter()], keepsBase: true });
      await commit({ counters: [counter()] });
      const [base] = await place.sql('select commit_seq::int as seq from log_bases');
      const [row] = await place.sql(`select body->>'runs' as runs from log_base_rows where kind = 'counter'`);
      assert.deepEqual([base?.['seq'], row?.['runs']], [2, '2']);
    });

    it('is one engine’s: another is refused until it is released', async () => {
      const other = open(0);
      await assert.rejects(other.open(), { code: 'FAILED_PRECONDITION', reason: 'CONFLICT' });
      assert.equal(store.up, true);
      await store.release();
      assert.equal(store.up, false);
      await assert.rejects(commit(), { code: 'UNAVAILABLE' });
      await eventually(() => other.open(), { what: 'it is let in' });
      await other.release();
      await other.db.destroy();
    });

    it('notices a lost connection, and reads what was committed back', async () => {
      await commit({ counters: [counter()] });
      const others = `from pg_stat_activity
        where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()`;
      await place.sql(`select pg_terminate_backend(pid) ${others}`);
      await eventually(async () => (await place.sql(`select pid ${others}`)).length === 0, { what: 'all ended' });
      await eventually(() => lost > 0, { what: 'the end is noticed' });
      assert.equal(store.up, false);
      await assert.rejects(commit());
      assert.equal((await reread()).head.commitSeq, 1);
      await commit({ counters: [counter()] });
      assert.equal((await reread()).counters[0]?.runs, 2);
    });
  });
}

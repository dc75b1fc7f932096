import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { silentLogger } from '@sentinel/service-kit/logging';
import { eventually } from '@sentinel/test-kit';
import pg from 'pg';
import { StateStore, SupersededError } from '../store/state-store.js';
import { DATABASE_KINDS, type DatabasePlace } from '../testing/databases.js';
import { OutboxStore } from './outbox-store.js';

for (const { name, make, skip } of DATABASE_KINDS)
  describe(`the outbox: ${name}`, { skip }, () => outboxContract(make));

function outboxContract(make: () => Promise<DatabasePlace>): void {
  let place: DatabasePlace;
  let store: StateStore;
  let admin: pg.Client;
  let outbox: OutboxStore;
  /** Of the relay that is there at the beginning of each test. */
  let epoch = 0;
  before(async () => {
    place = await make();
    const database = place.database();
    store = new StateStore(database, silentLogger(), () => {});
    await store.open();
    admin = new pg.Client(database.connection);
    await admin.connect();
    outbox = new OutboxStore(store.db, () => store.epoch);
  });
  beforeEach(async () => {
    await admin.query(`delete from outbox; update relay set last_number = 0, checkpoint = ''`);
    await admin.query(
      `insert into outbox (commit_seq, ordinal, event_id, type, gpu, event_us, detail, injected)
         select seq, 0, 'e' || seq, 'x', '', 0, '{}', false from generate_series(1, 20) seq`,
    );
    ({ epoch } = await outbox.takeOver());
  });
  after(async () => {
    await admin.end();
    await store.close();
    await place.remove();
  });

  const numbers = async (): Promise<unknown[]> =>
    (await admin.query('select number, relay_epoch from outbox where number is not null order by number')).rows.map(
      ({ number, relay_epoch }: Record<string, unknown>) => [number, relay_epoch],
    );

  it('numbers go on from one relay to the next, and rows keep the epoch that numbered them', async () => {
    const first = await outbox.next(epoch, 5);
    const { epoch: second } = await outbox.takeOver();
    assert.deepEqual(await outbox.next(second, 5), first);
    await outbox.acknowledge(second, first, [1, 2, 3, 4, 5], 'five');
    const [next] = await outbox.next(second, 5);
    assert.deepEqual([next?.number, next?.relay_epoch, next?.event_id], [6, second, 'e6']);
  });

  it('what waits is counted, since the commit of the oldest; where its record is pruned, since its event', async () => {
    await admin.query(`update outbox set event_us = commit_seq * 10`);
    assert.deepEqual(await outbox.waiting(), { count: 20, oldestUs: 10 });
    await admin.query(`insert into records (commit_seq, now_us, kind, body) values (1, 77, 'x', '{}')`);
    assert.deepEqual(await outbox.waiting(), { count: 20, oldestUs: 77 });
    await admin.query(`delete from records where commit_seq = 1; delete from outbox`);
    assert.deepEqual(await outbox.waiting(), { count: 0, oldestUs: null });
  });

  it('a relay that another one followed numbers nothing, is handed nothing and notes nothing', async () => {
    const rows = await outbox.next(epoch, 5);
    const { epoch: second } = await outbox.takeOver();
    await assert.rejects(outbox.next(epoch, 5), SupersededError);
    await assert.rejects(outbox.acknowledge(epoch, rows, [1, 2, 3, 4, 5], 'stale'), SupersededError);
    await outbox.acknowledge(second, rows, [1, 2, 3, 4, 5], 'five');
    await assert.rejects(outbox.next(epoch, 5), SupersededError);
    assert.deepEqual(await numbers(), []);
    const state = await admin.query('select checkpoint from relay');
    assert.deepEqual(state.rows, [{ checkpoint: 'five' }]);
  });

  it('gives an event one number, however many ask at once', async () => {
    await admin.query('begin');
    await admin.query('select from relay for update');
    const asked = [outbox.next(epoch, 8), outbox.next(epoch, 8), outbox.next(epoch, 8)];
    const waiting = async (): Promise<boolean> => {
      const { rows } = await admin.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows.length === asked.length;
    };
    await eventually(waiting, { what: 'all of them wait for their turn' });
    await admin.query('commit');
    const [first, ...others] = await Promise.all(asked);
    for (const rows of others) assert.deepEqual(rows, first);
    assert.deepEqual(
      (await numbers()).map((row) => (row as number[])[0]),
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
  });

  it('is taken over by the engine that leads alone', async () => {
    const stale = new OutboxStore(store.db, () => store.epoch - 1);
    await assert.rejects(stale.takeOver(), SupersededError);
    assert.equal((await outbox.next(epoch, 5)).length, 5, 'it is as it was');
  });
}

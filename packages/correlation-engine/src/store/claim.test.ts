import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { silentLogger } from '@sentinel/service-kit/logging';
import { eventually } from '@sentinel/test-kit';
import pg from 'pg';
import { buildGroup } from '../commit/group.js';
import { emptyState } from '../core.js';
import { CONFIG } from '../evidence/testing/config.js';
import { DATABASE_KINDS, type DatabasePlace } from '../testing/databases.js';
import type { Database } from './connect.js';
import type { LoadedState } from './loaded-state.js';
import { StateStore, SupersededError } from './state-store.js';

for (const { name, make, skip } of DATABASE_KINDS) describe(`the lead: ${name}`, { skip }, () => leadContract(make));

/** Replicas share a server; that an embedded one keeps the same is what moving from one to the other rests on. */
function leadContract(make: () => Promise<DatabasePlace>): void {
  let place: DatabasePlace;
  let admin: pg.Client;
  const stores: StateStore[] = [];
  before(async () => {
    place = await make();
    await store().prepare();
    admin = new pg.Client(database().connection);
    await admin.connect();
  });
  after(async () => {
    for (const each of stores) await each.close();
    await admin.end();
    await place.remove();
  });
  beforeEach(async () => {
    for (const each of stores) await each.release();
  });

  const database = (): Database => place.database();
  const store = (): StateStore => {
    const made = new StateStore(database(), silentLogger(), () => {});
    stores.push(made);
    return made;
  };
  const epoch = async (): Promise<number> => Number((await admin.query('select epoch from leader')).rows[0]?.epoch);
  const take = async (replica: StateStore, holder: string): Promise<LoadedState | null> =>
    replica.take({ holder, address: `${holder}:1`, after: await epoch() });
  const expire = () => admin.query(`update leader set renewed_at = '-infinity'`);
  /** The backend of a connection that was closed may have the lock for a moment. */
  const takeFree = (replica: StateStore, holder: string): Promise<LoadedState> =>
    eventually(() => take(replica, holder), { what: `${holder} takes the lead` });
  /** A transaction of one record of the log. */
  const commit = (replica: StateStore, state: LoadedState) =>
    replica.commit(
      buildGroup({
        state: emptyState(CONFIG),
        head: state.head,
        nowUs: Date.now() * 1000,
        items: [{ kind: 'own', record: { kind: 'config', config: CONFIG }, committed: () => {}, failed: () => {} }],
        epochOf: () => 0,
        archived: [],
      }).rows,
    );
  const head = async (): Promise<number> =>
    Number((await admin.query('select commit_seq from head')).rows[0]?.commit_seq);

  it('is one replica’s while its lease runs, and says where that is reached', async () => {
    const [first, second] = [store(), store()];
    await takeFree(first, 'first');
    assert.equal(await take(second, 'second'), null);
    const lease = database().lease(() => {});
    const { holder, address, valid, nowUs } = await lease.read();
    assert.ok(Math.abs(nowUs / 1000 - Date.now()) < 60_000);
    assert.deepEqual({ holder, address, valid }, { holder: 'first', address: 'first:1', valid: true });
    await expire();
    assert.equal((await lease.read()).valid, false);
    assert.equal(await lease.renew(first.epoch), true);
    assert.equal(await lease.renew(first.epoch - 1), false);
    assert.equal((await lease.read()).valid, true);
    await lease.release(first.epoch);
    assert.equal((await lease.read()).valid, false);
    await lease.close();
  });

  it('is taken from one that does not renew it, and nothing that the old leader still writes counts', async () => {
    const [first, second] = [store(), store()];
    const old = await takeFree(first, 'first');
    await expire();
    const taken = await takeFree(second, 'second');
    assert.ok(second.epoch > first.epoch);
    await assert.rejects(commit(first, old));
    const before = await head();
    assert.equal(before, taken.head.commitSeq);
    await commit(second, taken);
    assert.equal(await head(), before + 1);
    await assert.rejects(first.recover(), SupersededError);
    assert.equal(second.up, true, 'whoever comes back late does not put the new leader out');
  });

  it('a transaction of an earlier leader moves nothing, even where its connection was not ended', async () => {
    const replica = store();
    const state = await takeFree(replica, 'first');
    await admin.query('update head set leader_epoch = leader_epoch + 1');
    const before = await head();
    await assert.rejects(commit(replica, state), /another engine writes it/);
    assert.equal(await head(), before);
    await admin.query('update head set leader_epoch = leader_epoch - 1');
  });

  it('goes to one of those who saw the same lease end', async () => {
    const replicas = Array.from({ length: 4 }, store);
    const after = await epoch();
    await expire();
    const taken = await Promise.all(
      replicas.map((replica, i) => replica.take({ holder: `r${i}`, address: '', after })),
    );
    assert.equal(taken.filter((state) => state !== null).length, 1);
    assert.equal(await epoch(), after + 1);
  });

  it('comes back to a replica that lost its connection, unless another one has it', async () => {
    const replica = store();
    await takeFree(replica, 'first');
    await admin.query(`select pg_terminate_backend(backend_pid) from leader`);
    await eventually(() => replica.recover(), { what: 'it has the lead again' });
    assert.equal(replica.up, true);
  });

  it('is not taken from an engine that has the lock without a lease: one that is alone, or an earlier release', async () => {
    const [alone, replica] = [store(), store()];
    await alone.open();
    assert.equal(await take(replica, 'second'), null);
    assert.equal(alone.up, true);
    await alone.release();

    await admin.query('select pg_advisory_lock(1397050964)');
    await expire();
    assert.equal(await take(replica, 'second'), null);
    await admin.query('select pg_advisory_unlock(1397050964)');
    await takeFree(replica, 'second');
  });
}

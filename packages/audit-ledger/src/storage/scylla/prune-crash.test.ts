/** A pruning in a cluster that dies between two of its statements, and a deletion that is none. */
import assert from 'node:assert/strict';
import { after, afterEach, describe, it } from 'node:test';
import { AgedLedger } from '../../testing/aged-ledger.js';
import { CASSANDRA, dropKeyspace, ownKeyspace, runCql } from '../../testing/cassandra.js';
import { dieAt, reviveCluster } from '../../testing/dying-cluster.js';
import { scyllaBackend } from './scylla-backend.js';

const HELD = { gpu: 'GPU-1', producer: '', fromUs: 0, toUs: 0 };

describe('a pruning in a cluster', { skip: CASSANDRA.skip }, () => {
  const keyspaces: ReturnType<typeof ownKeyspace>[] = [];
  afterEach(reviveCluster);
  after(async () => {
    for (const each of keyspaces) await dropKeyspace(each);
  });
  const grown = async (): Promise<AgedLedger> => {
    const keyspace = ownKeyspace();
    keyspaces.push(keyspace);
    const log = await AgedLedger.open(scyllaBackend(keyspace));
    await log.grow(6, 90, 90);
    await log.keeper.addHold(HELD, 'case 12', 'lawyer');
    return log;
  };

  it('shows nothing but what is announced when it died, and ends where it would have ended', async () => {
    const log = await grown();
    let died = 0;
    for (let step = 3; ; step *= 4) {
      const day = 6 + died;
      await log.grow(day + 1, 300, 150);
      const survived = dieAt(step);
      await log.prune(day + 1, day + 1).catch(() => undefined);
      reviveCluster();
      assert.deepEqual((await log.verify()).findings, [], `dead at step ${step}`);
      await log.reopen();
      await log.keeper.resume();
      assert.deepEqual((await log.verify()).findings, [], `resumed from step ${step}`);
      if (survived()) break;
      died += 1;
    }
    assert.ok(died > 1, `${died} deaths`);
    assert.ok(log.opened.store.pruned.leaves > 0);
    await log.opened.close();
  });

  it('is not what explains a row of leaves that somebody deleted', async () => {
    const log = await grown();
    await log.grow(8, 300, 150);
    await log.prune(7, 7);
    assert.deepEqual((await log.verify()).findings, []);
    const { leaves } = log.opened.store.pruned;
    assert.ok(leaves > 0);
    const rows = await runCql(keyspaces.at(-1) ?? ownKeyspace(), 'SELECT log, bucket, first_seq FROM leaves');
    for (const kept of [true, false]) {
      const row = rows.find(({ first_seq: first }) => Number(first) < leaves === kept && Number(first) > 0);
      const where = `log = '${row?.log}' AND bucket = ${row?.bucket} AND first_seq = ${row?.first_seq}`;
      await runCql(keyspaces.at(-1) ?? ownKeyspace(), `DELETE FROM leaves WHERE ${where}`);
      const { findings } = await log.verify();
      assert.ok(findings.length > 0, where);
    }
    await log.opened.close();
  });
});

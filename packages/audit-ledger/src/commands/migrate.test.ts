import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { CASSANDRA, dropKeyspace, ownKeyspace, runCql } from '../testing/cassandra.js';
import { WriterProcess } from '../testing/writer-process.js';

const STEP = '0001-log';

describe('migrate', () => {
  it('says that a log in files has nothing to migrate', async () => {
    await using writer = new WriterProcess();
    const { code, output } = await writer.run('migrate');
    assert.equal(code, 0, output);
    assert.match(output, /files in .*ledger, which have no schema: nothing to migrate/);
    assert.equal((await writer.run('migrate', 'sideways')).code, 2);
    assert.equal((await writer.run('migrate', 'status', '--down')).code, 2);
  });

  describe('of a log in a cluster', { skip: CASSANDRA.skip }, () => {
    const cluster = ownKeyspace();
    const { password_path: _, ...scylla } = cluster;
    after(() => dropKeyspace(cluster));
    const writerOf = (over = {}) => new WriterProcess({ storage: { scylla: { ...scylla, ...over } } });

    it('goes up once even when two do it, says where it stands, and goes down only when that is meant', async () => {
      await using writer = writerOf();
      const both = await Promise.all([writer.run('migrate'), writer.run('migrate')]);
      assert.deepEqual(both.map(({ output }) => output).sort(), [`${STEP} taken\n`, 'nothing to do\n']);
      assert.deepEqual(await writer.run('migrate', 'status'), { code: 0, output: `${STEP} done\n` });
      const { code, output } = await writer.run('migrate', '--down');
      assert.equal(code, 2);
      assert.match(output, /the log in keyspace .* would be lost.*--yes/);
      assert.deepEqual(await writer.run('migrate', '--down', '--yes'), { code: 0, output: `${STEP} taken back\n` });
      assert.deepEqual(await writer.run('migrate', 'status'), { code: 1, output: `${STEP} missing\n` });
      await assert.rejects(runCql(cluster, 'SELECT * FROM heads'), /heads/);
    });

    it('names the setting that cannot work', async () => {
      await using writer = writerOf({ local_datacenter: 'elsewhere' });
      const { code, output } = await writer.run('migrate');
      assert.equal(code, 78);
      assert.match(output, /elsewhere.*nodetool status/);
    });
  });
});

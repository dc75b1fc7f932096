import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CASSANDRA, dropKeyspace, ownKeyspace } from '../testing/cassandra.js';
import { Replicas } from '../testing/replicas.js';

describe('a replica and settings of the history that waiting does not mend', { skip: CASSANDRA.skip }, () => {
  // The twin of a secret is not given together with it.
  const { password_path: _, ...scylla } = ownKeyspace();
  let replicas: Replicas;
  before(async () => {
    replicas = await Replicas.start(0, { scylla });
  });
  after(async () => {
    await replicas.remove();
    await dropKeyspace({ ...scylla, password_path: '' });
  });

  it('end its start, whether or not another one decides', async () => {
    const wrong = { scylla: { ...scylla, local_datacenter: 'nowhere' } };
    const refused = { code: 'FAILED_PRECONDITION', field: 'correlation_engine.scylla.local_datacenter' };
    await assert.rejects(replicas.add(wrong), refused);
    replicas.all.pop();
    await replicas.add();
    await assert.rejects(replicas.add(wrong), refused);
  });
});

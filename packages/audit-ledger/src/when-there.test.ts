/** A writer that starts while its cluster is away, or that can never use it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { closeCql } from '@sentinel/service-kit/cql/client';
import { connectCql } from '@sentinel/service-kit/cql/connect';
import { CassandraServer, eventually, tcpProxy, temporaryFolder } from '@sentinel/test-kit';
import type { Client } from 'cassandra-driver';
import { CASSANDRA, dropKeyspace, ownKeyspace } from './testing/cassandra.js';
import { WriterProcess } from './testing/writer-process.js';

describe('a writer whose cluster is away when it starts', { skip: CASSANDRA.skip }, () => {
  it('says so once, waits, and serves when it is there', async () => {
    const cluster = ownKeyspace();
    const { password_path: _, ...scylla } = cluster;
    await using proxy = await tcpProxy(cluster.contact_points[0] ?? '');
    await using writer = new WriterProcess({ storage: { scylla: { ...scylla, contact_points: [proxy.address] } } });
    proxy.refuse();
    const starting = writer.start();
    await eventually(() => /the store of the log is away/.test(writer.output), { what: 'the writer waits' });
    assert.match(writer.output, /"backend":"scylla","setting":"audit_ledger.storage.scylla.contact_points"/);
    proxy.pass();
    await starting;
    assert.match(writer.output, /the store of the log is back/);
    assert.equal(await writer.signal('SIGTERM'), 0);
    await dropKeyspace(cluster);
  });

  it('is waited for by a reader, and so is the log', async () => {
    const cluster = ownKeyspace();
    const { password_path: _, ...scylla } = cluster;
    await using writer = new WriterProcess({ storage: { scylla } });
    await using reader = new WriterProcess({
      storage: { scylla },
      signing_key_path: '',
      verifier_key: writer.verifierKey,
    });
    const starting = reader.start('--mode', 'reader');
    await eventually(() => /holds no log yet/.test(reader.output), { what: 'the reader waits' });
    await writer.start();
    await starting;
    await reader.signal('SIGTERM');
    await writer.signal('SIGTERM');
    await dropKeyspace(cluster);
  });

  it('ends at once, with 0, when it is told to while it waits', async () => {
    const { password_path: _, ...scylla } = ownKeyspace({ contact_points: ['127.0.0.1:1'] });
    await using writer = new WriterProcess({ storage: { scylla } });
    const starting = assert.rejects(writer.start(), /ended with 0/);
    await eventually(() => /is away/.test(writer.output), { what: 'the writer waits' });
    assert.equal(await writer.signal('SIGTERM'), 0);
    await starting;
  });

  it('ends with 78 and the setting where waiting does not help', async () => {
    const { password_path: _, ...scylla } = ownKeyspace({ local_datacenter: 'elsewhere' });
    await using writer = new WriterProcess({ storage: { scylla } });
    const { code, output } = await writer.run();
    assert.equal(code, 78, output);
    assert.match(output, /audit_ledger\.storage\.scylla\.local_datacenter/);
    await using weak = new WriterProcess({ storage: { scylla: { ...scylla, read_consistency: 'ONE' } } });
    const refused = await weak.run();
    assert.equal(refused.code, 78);
    assert.match(refused.output, /read_consistency.*must be one of QUORUM, ALL to see what is written at QUORUM/);
  });

  it('ends with 78 and one sentence where the cluster refuses the user, and serves with the right password', async () => {
    await using folder = await temporaryFolder();
    await using server = await CassandraServer.start(folder.path, ASKS_FOR_PASSWORDS);
    const known = { username: 'cassandra', password: 'cassandra' };
    const { password_path: _, ...scylla } = { ...ownKeyspace(), contact_points: [`127.0.0.1:${server.port}`] };
    const withUser = (user: object): WriterProcess =>
      new WriterProcess({ storage: { scylla: { ...scylla, ...user } } });
    // The server makes its first user a moment after it is up.
    await eventually(
      async () =>
        await connectCql(ownKeyspace({ ...scylla, ...known, keyspace: 'system' }), 'test').then(closed, () => null),
      { what: 'the user is known', timeoutMs: 60_000 },
    );
    for (const user of [{ ...known, password: 'wrong' }, {}]) {
      await using writer = withUser(user);
      const { code, output } = await writer.run();
      assert.equal(code, 78, output);
      assert.match(
        output,
        /"field":"audit_ledger\.storage\.scylla\.username","msg":"the cluster refuses the user \(.*Correct username and password\./,
      );
      assert.doesNotMatch(output, /"password":"wrong"|is away/);
    }
    await using writer = withUser(known);
    await writer.start();
    assert.equal(await writer.signal('SIGTERM'), 0);
  });
});

const ASKS_FOR_PASSWORDS = [
  '-Dcassandra.config.allow_system_properties=true',
  '-Dcassandra.settings.authenticator=PasswordAuthenticator',
  '-Dcassandra.superuser_setup_delay_ms=0',
];

async function closed(client: Client): Promise<true> {
  await closeCql(client);
  return true;
}

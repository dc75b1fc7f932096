/** A writer that starts while its cluster is away, or that can never use it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually, tcpProxy } from '@sentinel/test-kit';
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
});

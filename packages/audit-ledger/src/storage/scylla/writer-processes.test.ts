/** Writers of one log in a cluster, each a process: one writes, another says why it does not, and one that lost the log tells nobody anything. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { AuditServiceClient } from '@sentinel/contracts/sentinel/v1/audit.js';
import type { CqlConfig } from '@sentinel/service-kit/cql/connect';
import { openCheckpoint } from '../../note/checkpoint.js';
import { parseVerifierKey } from '../../note/keys.js';
import { BACKENDS, type TestPlace } from '../../testing/backends.js';
import { CASSANDRA, withClient } from '../../testing/cassandra.js';
import { clientOf, commitEvents, eventOf, wholeTrail } from '../../testing/wire.js';
import { WriterProcess } from '../../testing/writer-process.js';

const [scylla] = BACKENDS.filter(({ name }) => name === 'scylla');

const ingest = async (client: AuditServiceClient, n: number): Promise<bigint[]> => {
  const events = [eventOf(n)];
  return (await commitEvents(client, { producer: 'w/1', producerEpoch: 0n, firstSequence: 0n, events })).seqs;
};

describe('writers of one log in a cluster', { skip: CASSANDRA.skip }, () => {
  let place: TestPlace;
  let first: WriterProcess;
  let second: WriterProcess;
  before(() => {
    assert.ok(scylla !== undefined);
    place = scylla.make();
    first = new WriterProcess(place.settings);
    second = new WriterProcess({ ...place.settings, signing_key_path: join(first.folder, 'ledger.key') });
  });
  after(async () => {
    await first[Symbol.asyncDispose]();
    await second[Symbol.asyncDispose]();
    await place.remove();
  });

  it('are one when they start at the same moment, and the other one ends and says why', async () => {
    const writers = [first, second];
    const starts = await Promise.allSettled(writers.map((writer) => writer.start()));
    const acked: WriterProcess[] = [];
    for (const [i, writer] of writers.entries()) {
      const start = starts[i];
      // The one that took the log first may only learn it from its first commit.
      const seqs = start?.status === 'fulfilled' ? await ingestOnce(start.value.grpc, 3 + i) : undefined;
      if (seqs !== undefined) {
        acked.push(writer);
        continue;
      }
      const code = await writer.signal('SIGCONT');
      assert.ok(code === 1 || code === 70, `${code}`);
      assert.match(writer.output, /another writer (uses|has taken over) this log/);
    }
    assert.equal(acked.length, 1);
    assert.equal(await acked[0]?.signal('SIGTERM'), 0);
  });

  it('that slept while another took over acknowledge nothing, sign nothing, and end', async () => {
    const asleep = clientOf((await first.start()).grpc);
    const [slept = 0n] = await ingest(asleep, 10);
    process.kill(first.pid ?? 0, 'SIGSTOP');
    const awake = clientOf((await second.start()).grpc);
    const late = assert.rejects(ingest(asleep, 11));
    const [next] = await ingest(awake, 12);
    assert.equal(next, slept + 1n);
    // Until it has ended by itself.
    assert.equal(await first.signal('SIGCONT'), 70);
    await late;
    assert.match(first.output, /another writer has taken over this log/);
    assert.ok(!(await wholeTrail(awake)).some(({ eventId }) => Buffer.compare(eventId, eventOf(11).eventId) === 0));
    assert.deepEqual(await signedSizes(first), [Number(next) + 1]);
    assert.deepEqual(await ingest(awake, 11), [slept + 2n]);
    for (const client of [asleep, awake]) client.close();
    const { code, output } = await second.run('verify', '--full');
    assert.equal(code, 0, output);
    assert.equal(await second.signal('SIGTERM'), 0);
  });

  const ingestOnce = async (address: string, n: number): Promise<bigint[] | undefined> => {
    const client = clientOf(address);
    return await ingest(client, n)
      .catch(() => undefined)
      .finally(() => client.close());
  };

  /** Of the checkpoints that are kept, in both places: the newest one of each writer, but for those before the last to start. */
  const signedSizes = async ({ verifierKey }: WriterProcess): Promise<number[]> => {
    const key = parseVerifierKey(verifierKey);
    const { scylla: cluster } = place.settings['storage'] as { scylla: CqlConfig };
    const [signed, guarded] = await withClient(cluster, async (client) => {
      const rows = ['checkpoints', 'rollback_guard'].map(
        async (table) => (await client.execute(`SELECT note FROM ${table}`)).rows,
      );
      return (await Promise.all(rows)).map((each) => each.map(({ note }) => openCheckpoint(String(note), key).size));
    });
    assert.deepEqual(guarded, signed);
    return signed ?? [];
  };
});

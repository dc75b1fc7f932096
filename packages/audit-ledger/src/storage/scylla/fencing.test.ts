/** Two writers, lost answers, and deaths between any two steps: one history, and nothing acknowledged is lost or doubled. */
import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import type { CqlConfig } from '@sentinel/service-kit/cql/connect';
import { type TcpProxy, tcpProxy } from '@sentinel/test-kit';
import { decodeLeaf } from '../../leaf/leaf.js';
import { type OpenLedger, openLedger } from '../../open-ledger.js';
import { CASSANDRA, dropKeyspace, ownKeyspace, withClient } from '../../testing/cassandra.js';
import { dieAt, reviveCluster } from '../../testing/dying-cluster.js';
import { draftOf, ledgerOptions, recordedEvents, requestOf, TEST_KEY } from '../../testing/ledgers.js';
import { verifyLog } from '../../verify/verify-log.js';
import { StaleWriterError, UnknownOutcomeError } from '../errors.js';
import { Cluster } from './cluster.js';
import { scyllaBackend } from './scylla-backend.js';

const NOTHING = Buffer.alloc(0);
const { swap } = Cluster.prototype;

describe('the writer of a log in a cluster', { skip: CASSANDRA.skip }, () => {
  const keyspaces: CqlConfig[] = [];
  let cluster: CqlConfig;
  beforeEach(() => {
    cluster = ownKeyspace();
    keyspaces.push(cluster);
  });
  afterEach(reviveCluster);
  after(async () => {
    for (const each of keyspaces) await dropKeyspace(each);
  });

  const open = async (over: Partial<CqlConfig> = {}, patienceMs?: number): Promise<OpenLedger> => {
    const backend = scyllaBackend({ ...cluster, ...over }, patienceMs);
    return await openLedger({ ...ledgerOptions(backend), events: recordedEvents() });
  };
  const idsOf = async ({ store, ledger }: OpenLedger): Promise<string[]> =>
    (await store.readLeaves(1, ledger.checkpoint.size)).map((leaf) => hex(decodeLeaf(leaf ?? NOTHING).eventId));
  const isWhole = async (): Promise<void> => {
    const source = await scyllaBackend(cluster).openSource();
    const report = await verifyLog(source, TEST_KEY.verifier).finally(() => source.close());
    assert.deepEqual(report.findings, []);
  };

  it('that lost it commits nothing, and what it wrote is never seen, though it lies under the same numbers', async () => {
    const stale = await open();
    const first = draftOf(0);
    await stale.ledger.ingest(requestOf([first]));
    const next = await open();
    const lost = Array.from({ length: 40 }, (_, n) => draftOf(100 + n));
    await assert.rejects(stale.ledger.ingest(requestOf(lost, 1)), StaleWriterError);
    const rows = await withClient(
      cluster,
      async (client) => (await client.execute('SELECT first_seq FROM leaves')).rows,
    );
    assert.equal(rows.filter((row) => Number(row.first_seq) === 2).length, 1, 'it did write its rows');
    const kept = [draftOf(1), draftOf(2), draftOf(3)];
    for (const [i, draft] of kept.entries())
      assert.deepEqual((await next.ledger.ingest(requestOf([draft], 1 + i))).seqs, [2 + i]);
    await assert.rejects(stale.ledger.ingest(requestOf([draftOf(5)])), /stopping|taken over/);
    const expected = [first, ...kept].map(({ eventId }) => hex(eventId));
    assert.deepEqual(await idsOf(next), expected);
    await next.close();
    await stale.close();
    const again = await open();
    assert.deepEqual(await idsOf(again), expected);
    // Nor are the numbers of its producer.
    assert.deepEqual((await again.ledger.ingest(requestOf([draftOf(4)], 4))).seqs, [5]);
    await again.close();
    await isWhole();
  });

  it('is one when two start at once', async () => {
    await (await open()).close();
    const both = await Promise.allSettled([open(), open(), open()]);
    const opened = both.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    for (const each of both) if (each.status === 'rejected') assert.ok(each.reason instanceof StaleWriterError);
    const acked = await Promise.allSettled(opened.map(({ ledger }, n) => ledger.ingest(requestOf([draftOf(n)]))));
    assert.equal(acked.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const each of opened) await each.close();
    await isWhole();
  });

  describe('whose cluster does not answer', () => {
    let proxy: TcpProxy;
    beforeEach(async () => {
      proxy = await tcpProxy(cluster.contact_points[0] ?? '');
    });
    afterEach(async () => await proxy.close());

    const opened = async (patienceMs?: number): Promise<OpenLedger> => {
      await (await open()).close();
      return await open({ contact_points: [proxy.address], request_timeout_ms: 5_000 }, patienceMs);
    };
    /** Calls `before` ahead of the next swap, once. */
    const aheadOfSwap = (before: () => void): void => {
      Cluster.prototype.swap = async function (...args) {
        Cluster.prototype.swap = swap;
        before();
        return await swap.apply(this, args);
      };
    };

    it('learns that a commit was made whose answer was lost', async () => {
      const ledger = await opened();
      aheadOfSwap(() => {
        proxy.stall('down');
        setTimeout(() => {
          proxy.cut();
          proxy.pass();
        }, 1000);
      });
      const drafts = [draftOf(1), draftOf(2)];
      assert.deepEqual((await ledger.ledger.ingest(requestOf(drafts))).seqs, [1, 2]);
      assert.deepEqual((await ledger.ledger.ingest(requestOf(drafts))).seqs, [1, 2]);
      assert.equal(ledger.ledger.checkpoint.size, 3);
      await ledger.close();
      await isWhole();
    });

    it('makes a commit that was not, once the cluster is there again', async () => {
      const ledger = await opened();
      aheadOfSwap(() => {
        proxy.refuse();
        setTimeout(() => proxy.pass(), 1000);
      });
      assert.deepEqual((await ledger.ledger.ingest(requestOf([draftOf(1)]))).seqs, [1]);
      await ledger.close();
      await isWhole();
    });

    it('writes rows again while it is away', async () => {
      const ledger = await opened();
      proxy.refuse();
      setTimeout(() => proxy.pass(), 1500);
      assert.deepEqual((await ledger.ledger.ingest(requestOf([draftOf(1)]))).seqs, [1]);
      await ledger.close();
      await isWhole();
    });

    it('gives up where it cannot learn what became of a commit, and a restart tells', async () => {
      const ledger = await opened(1000);
      aheadOfSwap(() => proxy.stall('down'));
      const draft = draftOf(1);
      await assert.rejects(ledger.ledger.ingest(requestOf([draft])), UnknownOutcomeError);
      proxy.cut();
      proxy.pass();
      await ledger.close();
      const again = await open();
      assert.deepEqual((await again.ledger.ingest(requestOf([draft]))).seqs, [1]);
      assert.equal(again.ledger.checkpoint.size, 2);
      await again.close();
      await isWhole();
    });

    it('does not know either when another one has gone on meanwhile', async () => {
      const ledger = await opened(20_000);
      let other: OpenLedger | undefined;
      Cluster.prototype.swap = async function (...args) {
        Cluster.prototype.swap = swap;
        await swap.apply(this, args);
        other = await open();
        await other.ledger.ingest(requestOf([draftOf(2)]));
        proxy.cut();
        return await swap.apply(this, args).then(() => {
          throw new Error('was applied twice');
        });
      };
      proxy.cut();
      await assert.rejects(ledger.ledger.ingest(requestOf([draftOf(1)])), (error: unknown) => {
        return error instanceof StaleWriterError || error instanceof UnknownOutcomeError;
      });
      assert.equal(other?.ledger.checkpoint.size, 3, 'what was committed stays');
      await other.close();
      await ledger.close();
      await isWhole();
    });
  });

  it('that dies between any two steps leaves a log with what was acknowledged, and each event once', async () => {
    await (await open()).close();
    const drafts: ReturnType<typeof draftOf>[] = [];
    let acked = 0;
    for (let step = 0; ; step += 1) {
      const ledger = await open();
      const survived = dieAt(step);
      const sent = Array.from({ length: 3 }, (_, n) => draftOf(10 * step + n));
      drafts.push(...sent);
      const first = 1 + 10 * step;
      const outcome = await ledger.ledger.ingest(requestOf(sent, first)).then(
        () => true,
        () => false,
      );
      reviveCluster();
      await ledger.close();
      const again = await open();
      if (outcome) acked += 1;
      // Whether it was committed or not, a retry gives it the one place that it has.
      const { seqs } = await again.ledger.ingest(requestOf(sent, first));
      assert.deepEqual(
        seqs,
        [1, 2, 3].map((n) => 3 * step + n),
      );
      assert.deepEqual(
        await idsOf(again),
        drafts.map(({ eventId }) => hex(eventId)),
      );
      await again.close();
      await isWhole();
      if (survived()) break;
      assert.ok(step < 12);
    }
    assert.ok(acked >= 1);
  });
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

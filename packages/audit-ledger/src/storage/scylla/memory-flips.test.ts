/** Memory that flips while rows are on their way to the cluster: the head is not swapped, so nothing of the batch is ever in the log. */
import assert from 'node:assert/strict';
import { afterEach, it } from 'node:test';
import { DivergenceError } from '../../commit/divergence.js';
import { openLedger } from '../../open-ledger.js';
import { CASSANDRA, dropKeyspace, ownKeyspace } from '../../testing/cassandra.js';
import { draftOf, ledgerOptions, recordedEvents, requestOf, TEST_KEY } from '../../testing/ledgers.js';
import { verifyLog } from '../../verify/verify-log.js';
import { Cluster } from './cluster.js';
import { scyllaBackend } from './scylla-backend.js';
import { ScyllaStore } from './scylla-store.js';

const { write, swap } = Cluster.prototype;
const { commit } = ScyllaStore.prototype;
afterEach(() => {
  Object.assign(Cluster.prototype, { write, swap });
  Object.assign(ScyllaStore.prototype, { commit });
});

for (const part of ['entries', 'details'] as const) {
  it(`a batch whose ${part} change while its rows are written is not committed`, {
    skip: CASSANDRA.skip,
  }, async (t) => {
    const cluster = ownKeyspace();
    const backend = scyllaBackend(cluster);
    const opened = await openLedger({ ...ledgerOptions(backend), events: recordedEvents() });
    t.after(async () => {
      await opened.close();
      await dropKeyspace(cluster);
    });
    await opened.ledger.ingest(requestOf([draftOf(1)]));
    let swaps = 0;
    ScyllaStore.prototype.commit = async function (batch, head) {
      Cluster.prototype.write = async function (statements) {
        await write.call(this, statements);
        const bytes = batch[part];
        bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      };
      Cluster.prototype.swap = async function (...args) {
        swaps += 1;
        return await swap.apply(this, args);
      };
      await commit.call(this, batch, head);
    };
    await assert.rejects(opened.ledger.ingest(requestOf([draftOf(2)])), DivergenceError);
    assert.equal(swaps, 0);
    Object.assign(Cluster.prototype, { write, swap });
    const source = await backend.openSource();
    const { findings, entries } = await verifyLog(source, TEST_KEY.verifier).finally(() => source.close());
    assert.deepEqual([findings, entries], [[], 2]);
  });
}

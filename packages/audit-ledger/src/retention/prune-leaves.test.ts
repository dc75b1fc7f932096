/** Details and leaves pruned on every backend: whatever was proven stays provable, and nothing else is missing. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { Checkpoint } from '../note/checkpoint.js';
import { AgedLedger } from '../testing/aged-ledger.js';
import { BACKENDS, type TestPlace } from '../testing/backends.js';
import { NodeReader } from '../tiles/node-reader.js';
import { verifyConsistency, verifyInclusion } from '../tree/verify.js';

const DAYS = 20;
const PER_DAY = 120;
const PER_COMMIT = 60;
const HELD = { gpu: 'GPU-1', producer: '', fromUs: 0, toUs: 0 };

interface Proven {
  readonly leaf: Uint8Array;
  readonly seq: number;
  readonly under: Checkpoint;
  readonly proof: readonly Uint8Array[];
}

for (const kind of BACKENDS) {
  describe(`a pruning of leaves in ${kind.name}`, { skip: kind.skip }, () => {
    const places: TestPlace[] = [];
    after(async () => {
      for (const each of places) await each.remove();
    });
    const grown = async (): Promise<AgedLedger> => {
      const place = kind.make();
      places.push(place);
      return await AgedLedger.open(place.backend);
    };

    it('breaks no proof that was issued before: 90 % of the details and 50 % of the leaves are gone', async () => {
      const log = await grown();
      const proven: Proven[] = [];
      for (let day = 1; day <= DAYS; day += 1) {
        await log.grow(day, PER_DAY, PER_COMMIT);
        const { ledger, store } = log.opened;
        const under = ledger.checkpoint;
        for (let seq = Math.max(0, under.size - PER_DAY); seq < under.size; seq += 47) {
          const [leaf] = await store.readLeaves(seq, seq + 1);
          assert.ok(leaf);
          proven.push({ leaf, seq, under, proof: await nodesOf(log).inclusionProof(seq, under.size) });
        }
      }
      const bytes = await log.opened.store.storageBytes();
      const { plan } = await log.prune(DAYS * 0.9, DAYS / 2);
      assert.equal(plan.goneDetails, DAYS * 0.9 * PER_DAY);
      assert.ok(
        plan.goneLeaves > (DAYS / 2 - 3) * PER_DAY && plan.goneLeaves <= (DAYS / 2) * PER_DAY,
        `${plan.goneLeaves}`,
      );
      for (const restarted of [false, true]) {
        if (restarted) await log.reopen();
        const report = await log.verify();
        assert.deepEqual([report.findings, report.prunedLeaves?.count], [[], plan.goneLeaves]);
        const { ledger, store } = log.opened;
        const now = ledger.checkpoint;
        for (const { leaf, seq, under, proof } of proven) {
          assert.ok(verifyInclusion(leaf, seq, under, proof));
          assert.ok(verifyInclusion(leaf, seq, now, await nodesOf(log).inclusionProof(seq, now.size)));
          assert.ok(verifyConsistency(under, now, await nodesOf(log).consistencyProof(under.size, now.size)));
        }
        const left = (await store.readLeaves(0, store.pruned.leaves)).filter((leaf) => leaf !== undefined);
        assert.equal(left.length, store.pruned.leaves - plan.goneLeaves);
        const everything = { gpu: 'GPU-2', type: undefined, startUs: 0, endUs: Number.POSITIVE_INFINITY, fromSeq: 0 };
        const { seqs } = await store.query({ ...everything, toSeq: now.size }, 'oldest', 1);
        assert.ok((seqs[0] ?? 0) >= store.pruned.leaves);
        assert.ok((await store.storageBytes()) < 0.7 * bytes);
      }
      await log.grow(DAYS + 2, PER_DAY, PER_COMMIT);
      await log.prune(DAYS, DAYS / 2 + 4);
      await log.reopen();
      assert.deepEqual((await log.verify()).findings, []);
      await log.opened.close();
    });

    it('leaves what is held until the hold is removed', async () => {
      const log = await grown();
      await log.grow(8, PER_DAY, PER_COMMIT);
      const hold = await log.keeper.addHold(HELD, 'case 12', 'lawyer');
      const { plan } = await log.prune(6, 6);
      assert.ok(plan.keptHeld > 0);
      for (const restarted of [false, true]) {
        if (restarted) await log.reopen();
        assert.deepEqual((await log.verify()).findings, []);
        const { store } = log.opened;
        const kept = (await store.readEntries(0, store.pruned.leaves)).filter(
          ({ detailPreimage }) => detailPreimage !== undefined,
        );
        assert.ok(kept.length > plan.keptHeld / 2);
      }
      await log.keeper.removeHold(hold.id, 'closed', 'lawyer');
      await log.prune(6, 6);
      const report = await log.verify();
      assert.deepEqual([report.findings, (report.prunedLeaves?.count ?? 0) > plan.goneLeaves], [[], true]);
      await log.opened.close();
    });
  });
}

function nodesOf({ opened: { store, ledger } }: AgedLedger): NodeReader {
  return new NodeReader(async (tile) => (await store.readTile(tile)) ?? Buffer.alloc(0), ledger.checkpoint.size);
}

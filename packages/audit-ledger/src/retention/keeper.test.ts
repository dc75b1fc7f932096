import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { SentinelError } from '@sentinel/service-kit/errors';
import { LEDGER_PRODUCER } from '../commit/ledger-producer.js';
import { decodeLeaf } from '../leaf/leaf.js';
import type { Checkpoint } from '../note/checkpoint.js';
import { AgedLedger } from '../testing/aged-ledger.js';
import { freshFolder } from '../testing/ledgers.js';
import { NodeReader } from '../tiles/node-reader.js';
import { verifyConsistency, verifyInclusion } from '../tree/verify.js';

const nodes = ({ opened: { store, ledger } }: AgedLedger): NodeReader =>
  new NodeReader(async (tile) => (await store.readTile(tile)) ?? Buffer.alloc(0), ledger.checkpoint.size);

describe('keeper', () => {
  it('prunes 90 % of the details and 50 % of the leaves; proofs, seals and queries go on', async () => {
    const aged = await AgedLedger.open(freshFolder());
    const checkpoints: Checkpoint[] = [];
    const proofs: { leaf: Uint8Array; seq: number; under: Checkpoint; proof: Uint8Array[] }[] = [];
    for (let day = 1; day <= 20; day += 1) {
      await aged.grow(day, 300, 37);
      const under = aged.opened.ledger.checkpoint;
      checkpoints.push(under);
      const seq = under.size - 100;
      const [leaf] = await aged.opened.store.readLeaves(seq, seq + 1);
      assert.ok(leaf);
      proofs.push({ leaf, seq, under, proof: await nodes(aged).inclusionProof(seq, under.size) });
    }
    const before = await aged.verify();
    const bytes = await aged.opened.store.storageBytes();
    const { plan } = await aged.prune(18, 10);
    assert.equal(plan.goneDetails, 18 * 300);
    assert.ok(plan.goneLeaves > 9 * 300 && plan.goneLeaves <= 10 * 300, String(plan.goneLeaves));

    for (const restarted of [false, true]) {
      if (restarted) await aged.reopen();
      const { store, ledger } = aged.opened;
      const report = await aged.verify();
      assert.deepEqual(report.findings, []);
      assert.equal(report.prunedDetails?.count, 18 * 300 - plan.goneLeaves);
      assert.equal(report.prunedLeaves?.count, plan.goneLeaves);
      assert.equal(report.details, report.entries - 18 * 300);
      for (const { leaf, seq, under, proof } of proofs) assert.ok(verifyInclusion(leaf, seq, under, proof));
      for (const { leaf, seq } of proofs) {
        const again = await nodes(aged).inclusionProof(seq, ledger.checkpoint.size);
        assert.ok(verifyInclusion(leaf, seq, ledger.checkpoint, again));
      }
      for (const old of checkpoints) {
        const proof = await nodes(aged).consistencyProof(old.size, ledger.checkpoint.size);
        assert.ok(verifyConsistency(old, ledger.checkpoint, proof), `from ${old.size}`);
      }
      const seals = (await store.readEntries(0, ledger.checkpoint.size)).filter(
        ({ leaf }) => decodeLeaf(leaf).producer === LEDGER_PRODUCER,
      );
      assert.ok(seals.length >= 20 && seals.every(({ detailPreimage }) => detailPreimage !== undefined));
    }
    assert.equal(before.prunedDetails, undefined);
    const after = await aged.opened.store.storageBytes();
    assert.ok(after < 0.6 * bytes, `${after} of ${bytes} bytes remain`);
    await aged.grow(22, 300, 37);
    await aged.prune(20, 12);
    await aged.reopen();
    assert.deepEqual((await aged.verify()).findings, []);
    await aged.opened.close();
  });

  it('deletes whole files, and makes a hole in the one that straddles', async () => {
    const aged = await AgedLedger.open(freshFolder(), { segmentBytes: 20_000 });
    await aged.grow(10, 200, 20);
    const files = (): number => readdirSync(join(aged.folder, 'details')).length;
    const before = files();
    await aged.prune(8, 8);
    assert.ok(files() <= before / 2, `${files()} of ${before} files`);
    assert.deepEqual((await aged.verify()).findings, []);
    await aged.reopen();
    await aged.grow(12, 200, 20);
    assert.deepEqual((await aged.verify()).findings, []);
    await aged.opened.close();
  });

  it('keeps what is held until the hold is removed', async () => {
    const aged = await AgedLedger.open(freshFolder());
    await aged.grow(4, 30);
    const scope = { gpu: 'GPU-1', producer: '', fromUs: 0, toUs: 0 };
    const hold = await aged.keeper.addHold(scope, 'case 12', 'lawyer');
    assert.deepEqual(await aged.keeper.holds(), [hold]);
    const { plan } = await aged.prune(2);
    assert.deepEqual([plan.goneDetails, plan.keptHeld], [40, 20]);
    await aged.reopen();
    const report = await aged.verify();
    assert.deepEqual([report.findings, report.prunedDetails?.count], [[], 40]);
    await assert.rejects(aged.keeper.removeHold(hold.id + 1, 'x', 'lawyer'), /no hold/);
    await aged.keeper.removeHold(hold.id, 'case closed', 'lawyer');
    assert.deepEqual(await aged.keeper.holds(), []);
    assert.equal((await aged.prune(2)).plan.goneDetails, 20);
    assert.equal((await aged.verify()).prunedDetails?.count, 60);
    assert.deepEqual((await aged.verify()).findings, []);
    await aged.reopen();
    assert.deepEqual((await aged.verify()).findings, []);
    await aged.opened.close();
  });

  it('takes a hold while a verification reads the log; a pruning waits for it', async () => {
    const aged = await AgedLedger.open(freshFolder());
    await aged.grow(4, 30);
    const reading = Promise.withResolvers<void>();
    const verification = aged.turns.take(() => reading.promise);
    const done: string[] = [];
    const pruning = aged.prune(2).then(() => done.push('pruned'));
    await aged.keeper.plan({ detailsBeforeUs: 1, leavesBeforeUs: undefined });
    await aged.keeper.addHold({ gpu: 'GPU-none', producer: '', fromUs: 0, toUs: 0 }, 'case 13', 'lawyer');
    assert.deepEqual([done, (await aged.keeper.holds()).length], [[], 1]);
    reading.resolve();
    await verification;
    await assert.rejects(pruning, /the plan is another one/, 'the hold that came meanwhile counts');
    await aged.opened.close();
  });

  it('takes neither the newest entries nor unsealed ones, and says why', async () => {
    const aged = await AgedLedger.open(freshFolder());
    await aged.grow(2, 10);
    const { ledger } = aged.opened;
    const unsealed = ledger.sealedEnd;
    const { plan } = await aged.keeper.plan({ detailsBeforeUs: Number.MAX_SAFE_INTEGER, leavesBeforeUs: undefined });
    assert.equal(plan.details, unsealed);
    assert.match(plan.notes.join(), /no seal covers them yet/);
    await aged.opened.close();
  });

  it('asks for the token of the very plan', async () => {
    const aged = await AgedLedger.open(freshFolder());
    await aged.grow(4, 30);
    const request = { detailsBeforeUs: aged.opened.store.head.receivedUs, leavesBeforeUs: undefined };
    const { token } = await aged.keeper.plan(request);
    const refused = (given: string) =>
      assert.rejects(
        aged.keeper.prune(request, given, 'tester'),
        (error) => error instanceof SentinelError && error.code === 'FAILED_PRECONDITION',
      );
    await refused('');
    await refused(token.replace(/.$/, (last) => (last === '0' ? '1' : '0')));
    // More is logged all the time: the plan, and so its token, stays what it is.
    await aged.keeper.addHold({ gpu: 'GPU-none', producer: '', fromUs: 0, toUs: 0 }, 'none', 'lawyer');
    await refused(token);
    const again = await aged.keeper.plan(request);
    await aged.seal();
    await aged.keeper.prune(request, again.token, 'tester');
    await refused(again.token);
    await aged.opened.close();
  });

  it('does not let a deletion pass as a pruning', async () => {
    const aged = await AgedLedger.open(freshFolder(), { segmentBytes: 4_000 });
    await aged.grow(10, 30, 10);
    await aged.keeper.addHold({ gpu: 'GPU-1', producer: '', fromUs: 0, toUs: 0 }, 'case 12', 'lawyer');
    await aged.prune(4);
    assert.deepEqual((await aged.verify()).findings, []);
    await aged.opened.close();
    const kept = readdirSync(join(aged.folder, 'kept'));
    rmSync(join(aged.folder, 'kept', kept[0] ?? ''));
    const { findings } = await aged.verify();
    assert.ok(findings.some(({ what }) => what === 'detail is missing'));
    const [firstHeld] = findings.filter(({ what }) => what === 'detail is missing');
    assert.equal(firstHeld?.seq, 0);
  });
});

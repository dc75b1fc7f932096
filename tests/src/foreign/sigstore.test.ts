/** Entries, proofs and checkpoints of a live log and of an evidence pack are verified by npm's @sigstore/verify. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { clientOf, eventOf, WriterProcess } from '@sentinel/audit-ledger/testing';
import { callUnary } from '@sentinel/service-kit/grpc-client';
import { type ProvedLeaf, verifyBySigstore } from './sigstore-verifier.js';
import { leafAt, parseProof } from './tlog-proof.js';

const ENTRIES = 1500;

/** Something that reports cite. */
const ORDERED = { actor: 'maria', event: 'state_changed', from: 'HEALTHY', to: 'SUSPECT' };

let ledger: WriterProcess;
before(async () => {
  ledger = new WriterProcess();
  const client = clientOf((await ledger.start()).grpc);
  const detail = Buffer.from(JSON.stringify(ORDERED));
  const events = Array.from({ length: ENTRIES }, (_, n) => (n % 100 === 0 ? { ...eventOf(n), detail } : eventOf(n)));
  await callUnary(client, client.ingestEvents, { producer: 'test/1', producerEpoch: 0n, firstSequence: 0n, events });
  client.close();
});
after(async () => await ledger[Symbol.asyncDispose]());

async function proofOf(seq: number): Promise<ProvedLeaf> {
  const { code, output } = await ledger.run('proof', String(seq));
  assert.equal(code, 0, output);
  const [first = '', ...rest] = output.split('\n');
  return parseProof(rest.join('\n'), Buffer.from(first.replace('leaf ', ''), 'hex'));
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

describe('verified by Sigstore', () => {
  it('entries of a live log', async () => {
    for (const seq of [0, 1, 255, 256, 1024, ENTRIES]) {
      verifyBySigstore(await proofOf(seq), ledger.verifierKey);
    }
  });

  it('every entry that an evidence pack cites', async () => {
    const pack = join(ledger.folder, 'pack');
    const { code, output } = await ledger.run('report', 'soc2', '--evidence', pack, '--output', `${pack}.json`);
    assert.equal(code, 0, output);
    const proofs = readdirSync(join(pack, 'proofs'));
    assert.ok(proofs.length > 0);
    for (const name of proofs) {
      const text = readFileSync(join(pack, 'proofs', name), 'utf8');
      const seq = Number(name.replace('.tlog-proof', ''));
      verifyBySigstore(parseProof(text, leafAt(pack, seq)), ledger.verifierKey);
    }
  });

  it('and refuses another leaf, place, path, checkpoint or key', async () => {
    const proved = await proofOf(700);
    const { leaf, path, checkpoint, index } = proved;
    const other = ledger.verifierKey.replace(/.{4}$/, (end) => (end === 'AAAA' ? 'BBBB' : 'AAAA'));
    const refused: readonly (readonly [ProvedLeaf, string])[] = [
      [{ ...proved, leaf: flipped(leaf, 20) }, ledger.verifierKey],
      [{ ...proved, index: index + 1 }, ledger.verifierKey],
      [{ ...proved, path: [flipped(path[0] ?? Buffer.alloc(0), 3), ...path.slice(1)] }, ledger.verifierKey],
      [{ ...proved, path: path.slice(1) }, ledger.verifierKey],
      [
        { ...proved, checkpoint: checkpoint.replace(/\n(\d+)\n/, (_, size) => `\n${Number(size) - 1}\n`) },
        ledger.verifierKey,
      ],
      [proved, other],
    ];
    for (const [altered, key] of refused)
      assert.throws(() => verifyBySigstore(altered, key), /signature|hash|root|invalid/i);
  });
});

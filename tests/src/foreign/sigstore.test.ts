/** Entries, proofs and checkpoints of a live log and of an evidence pack are verified by npm's @sigstore/verify. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type TemporaryFolder, temporaryFolder } from '@sentinel/test-kit';
import { LedgerProcess } from '../harness/ledger-process.js';
import { type ProvedLeaf, verifyBySigstore } from './sigstore-verifier.js';

const ENTRIES = 1500;

let folder: TemporaryFolder;
let ledger: LedgerProcess;
before(async () => {
  folder = await temporaryFolder();
  ledger = new LedgerProcess(join(folder.path, 'log'));
  await ledger.start();
  await ledger.fill(ENTRIES);
});
after(async () => {
  await ledger[Symbol.asyncDispose]();
  await folder.remove();
});

/** A C2SP tlog-proof, read by nobody's code but this. */
function parsed(text: string, leaf: Buffer): ProvedLeaf {
  const end = text.indexOf('\n\n');
  const [, index = '', ...path] = text.slice(0, end).split('\n');
  return {
    index: Number(index.replace('index ', '')),
    leaf,
    path: path.map((hash) => Buffer.from(hash, 'base64')),
    checkpoint: text.slice(end + 2),
  };
}

async function proofOf(seq: number): Promise<ProvedLeaf> {
  const { code, stdout, stderr } = await ledger.run('proof', String(seq));
  assert.equal(code, 0, stderr);
  const [first = '', ...rest] = stdout.split('\n');
  return parsed(rest.join('\n'), Buffer.from(first.replace('leaf ', ''), 'hex'));
}

/** The leaf of an entry out of the bundles of a pack. */
function leafAt(pack: string, seq: number): Buffer {
  const number = String(Math.floor(seq / 256)).padStart(3, '0');
  const bundles = join(pack, 'tile/entries');
  const [partial = ''] = readdirSync(bundles).includes(number) ? [] : readdirSync(join(bundles, `${number}.p`));
  let bytes = readFileSync(partial === '' ? join(bundles, number) : join(bundles, `${number}.p`, partial));
  for (let skip = seq % 256; skip > 0; skip -= 1) bytes = bytes.subarray(2 + bytes.readUInt16BE(0));
  return bytes.subarray(2, 2 + bytes.readUInt16BE(0));
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
    const pack = join(folder.path, 'pack');
    const { code, stderr } = await ledger.run('report', 'soc2', '--evidence', pack, '--output', `${pack}.json`);
    assert.equal(code, 0, stderr);
    const proofs = readdirSync(join(pack, 'proofs'));
    assert.ok(proofs.length > 0);
    for (const name of proofs) {
      const text = readFileSync(join(pack, 'proofs', name), 'utf8');
      const seq = Number(name.replace('.tlog-proof', ''));
      verifyBySigstore(parsed(text, leafAt(pack, seq)), ledger.verifierKey);
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
      [{ ...proved, checkpoint: checkpoint.replace(/\n(\d+)\n/, (_, size) => `\n${Number(size) - 1}\n`) }, ledger.verifierKey],
      [proved, other],
    ];
    for (const [altered, key] of refused) assert.throws(() => verifyBySigstore(altered, key), /signature|hash|root|invalid/i);
  });
});

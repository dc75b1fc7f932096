import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fillLog, WriterProcess } from '@sentinel/audit-ledger/testing';
import { bench } from '@sentinel/bench-kit';
import { goProgram } from '../foreign/go-verifier.js';
import { type ProvedLeaf, verifyBySigstore } from '../foreign/sigstore-verifier.js';
import { bundlePaths, leafAt, parseProof } from '../foreign/tlog-proof.js';
import { BIN } from '../harness/paths.js';

const ENTRIES = 1_000_000;
const QUICK_ENTRIES = 100_000;
const PROOFS = 20;
const QUICK_PROOFS = 3;
const HEAP_MB = 192;

/** An export of many entries, made with little memory and verified by programs that are not ours, which must refuse it once it is altered. */
export default bench({
  name: 'ledger-export',
  run: async ({ quick, log }) => {
    const entries = quick ? QUICK_ENTRIES : ENTRIES;
    await using writer = new WriterProcess();
    await fillLog(writer, entries);
    log(`a log of ${entries} entries is made`);
    const place = join(writer.folder, 'export');
    const ledger = (...args: string[]) =>
      node([`--max-old-space-size=${HEAP_MB}`, BIN.ledger, '--config', join(writer.folder, 'sentinel.yaml'), ...args]);
    const exported = succeed(log, ledger('export', '--output', place));
    const go = succeed(log, run(goProgram(), [writer.verifierKey, place]));
    const offline = succeed(log, node([join(place, 'verify.mjs'), place, '--key', writer.verifierKey]));
    const proofs = proofsOf(
      entries,
      quick ? QUICK_PROOFS : PROOFS,
      (seq) => ledger('proof', String(seq)).output,
      place,
    );
    for (const proof of proofs) verifyBySigstore(proof, writer.verifierKey);

    const seq = proofs[1]?.index ?? 0;
    flipLeaf(place, seq);
    const accepted = [
      run(goProgram(), [writer.verifierKey, place]).status === 0,
      node([join(place, 'verify.mjs'), place, '--key', writer.verifierKey]).status === 0,
      proofs.slice(1, 2).every((proof) => isTaken({ ...proof, leaf: leafAt(place, seq) }, writer.verifierKey)),
    ].filter(Boolean).length;
    const figures = {
      tampered_accepted: accepted,
      export_seconds: exported,
      go_seconds: go,
      offline_seconds: offline,
      sigstore_proofs: proofs.length,
    };
    return quick ? { figures, notRun: ['entries'] } : { figures: { ...figures, entries } };
  },
});

interface Ran {
  readonly status: number | null;
  readonly output: string;
  readonly seconds: number;
}

function node(args: readonly string[]): Ran {
  return run(process.execPath, args);
}

function run(program: string, args: readonly string[]): Ran {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  return { status, output: stdout + stderr, seconds: (performance.now() - started) / 1000 };
}

/** @returns seconds */
function succeed(log: (line: string) => void, { status, output, seconds }: Ran): number {
  log(output.trim());
  if (status !== 0) throw new Error('what should verify does not');
  return seconds;
}

function proofsOf(entries: number, count: number, prove: (seq: number) => string, place: string): ProvedLeaf[] {
  const seqs = Array.from({ length: count }, (_, i) => Math.floor((i * (entries - 1)) / (count - 1)));
  return seqs.map((seq) => parseProof(prove(seq).split('\n').slice(1).join('\n'), leafAt(place, seq)));
}

function flipLeaf(place: string, seq: number): void {
  const file = join(place, bundlePaths(Math.floor(seq / 256))[0]);
  const bytes = readFileSync(file);
  let at = 0;
  for (let skip = seq % 256; skip > 0; skip -= 1) at += 2 + bytes.readUInt16BE(at);
  bytes[at + 30] = (bytes[at + 30] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

function isTaken(proof: ProvedLeaf, key: string): boolean {
  try {
    verifyBySigstore(proof, key);
    return true;
  } catch {
    return false;
  }
}

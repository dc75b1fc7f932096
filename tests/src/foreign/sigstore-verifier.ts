/**
 * Sigstore's verifier on our entries. What it verifies is a TransparencyLogEntry of its bundles; of that, the inclusion proof, the
 * checkpoint and the body speak of any RFC 6962 log with a signed note, and the rest (kind, integrated time, promise) of Rekor alone.
 * So `verifyTLogInclusion` is given the leaf as body, our note and our path, and no promise. The package exports that function only in
 * the file it is written in; the version is pinned.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { createRequire } from 'node:module';
import type { TransparencyLogEntry } from '@sigstore/bundle';
import type { TrustMaterial } from '@sigstore/verify';

type VerifyTLogInclusion = (entry: TransparencyLogEntry, authorities: TrustMaterial['tlogs']) => void;

const { verifyTLogInclusion } = createRequire(import.meta.url)('@sigstore/verify/dist/tlog/index.js') as {
  readonly verifyTLogInclusion: VerifyTLogInclusion;
};

const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

export interface ProvedLeaf {
  readonly index: number;
  readonly leaf: Buffer;
  readonly path: readonly Buffer[];
  /** The signed note. */
  readonly checkpoint: string;
}

/** @throws VerificationError where signature, root or path do not hold */
export function verifyBySigstore({ index, leaf, path, checkpoint }: ProvedLeaf, verifierKey: string): void {
  const [, name = '', id = '', encoded = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(verifierKey) ?? [];
  // Sigstore finds the key by the first four bytes of a log's id, which C2SP notes call the key id.
  const logID = Buffer.from(id, 'hex');
  const [hashes, size, root] = [[...path], '', Buffer.alloc(0)];
  const proof = { logIndex: String(index), hashes, checkpoint: { envelope: checkpoint } };
  const entry: TransparencyLogEntry = {
    logIndex: String(index),
    logId: { keyId: logID },
    kindVersion: { kind: 'sentinel', version: '1' },
    integratedTime: '0',
    // Size and root are taken from the checkpoint, never from here.
    inclusionProof: { ...proof, treeSize: size, rootHash: root },
    inclusionPromise: undefined as never,
    canonicalizedBody: leaf,
  };
  const authority = {
    logID,
    baseURL: name,
    publicKey: publicKeyOf(encoded),
    validFor: { start: new Date(0), end: new Date(8.64e15) },
  };
  verifyTLogInclusion(entry, [authority]);
}

function publicKeyOf(encoded: string): KeyObject {
  const raw = Buffer.from(encoded, 'base64').subarray(1);
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
}

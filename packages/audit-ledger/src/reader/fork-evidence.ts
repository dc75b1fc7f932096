/**
 * Two signed checkpoints that one log cannot have signed, in a file that anybody can check with the log's verifier key and
 * nothing else. Two roots of one size speak for themselves; of two sizes, the consistency proof shows which root the smaller
 * size has under the newer checkpoint, and it is not the one that was signed.
 */
import type { Checkpoint } from '../note/checkpoint.js';
import { parseVerifierKey } from '../note/keys.js';
import { linkedKeys, openByAny } from '../note/rotation.js';
import { verifyConsistency } from '../tree/verify.js';

export const EVIDENCE_FORMAT = 'sentinel-fork-evidence/1';

export interface ForkEvidence {
  readonly format: typeof EVIDENCE_FORMAT;
  /** Note verifier key under which both checkpoints open, or by what it handed over to. */
  readonly verifier_key: string;
  /** How the key handed over to others that signed either, oldest first: each signed by both. */
  readonly rotations?: readonly string[];
  /** When it was found, RFC 3339; the finder's word. */
  readonly found_at: string;
  /** Signed checkpoint that was seen first. */
  readonly first: string;
  /** Signed checkpoint that came later. */
  readonly second: string;
  /** Root, base64, that the tree of the larger checkpoint has at the size of the smaller one, and the proof of that. */
  readonly prefix?: { readonly root: string; readonly proof: readonly string[] };
}

export type Verdict =
  /** The holder of the log's key signed two different logs. */
  | { readonly proven: true; readonly what: string }
  /** Both may belong to one log, or it proves nothing. */
  | { readonly proven: false; readonly what: string };

/** `key`: the verifier key that the caller knows to be the log's; never the file's own word for it. @throws NoteError, MalformedKeyError */
export function judgeEvidence(evidence: ForkEvidence, key: string): Verdict {
  const verifier = parseVerifierKey(key);
  const keys = linkedKeys(
    verifier,
    (evidence.rotations ?? []).map((note) => ({ note })),
  );
  const first = openByAny(evidence.first, keys);
  const second = openByAny(evidence.second, keys);
  const [small, large] = first.size <= second.size ? [first, second] : [second, first];
  const forked = forkOf(small, large, evidence);
  if (forked !== undefined) return { proven: true, what: `${verifier.name} signed two different logs: ${forked}` };
  return { proven: false, what: notProven(first, second) };
}

function forkOf(small: Checkpoint, large: Checkpoint, { prefix }: ForkEvidence): string | undefined {
  if (small.size === large.size)
    return sameRoot(small.root, large.root) ? undefined : `of ${small.size} entries there are two roots`;
  if (prefix === undefined) return undefined;
  const root = Buffer.from(prefix.root, 'base64');
  const proof = prefix.proof.map((hash) => Buffer.from(hash, 'base64'));
  if (!verifyConsistency({ size: small.size, root }, large, proof) || sameRoot(root, small.root)) return undefined;
  return `the ${large.size} entries of one do not begin with the ${small.size} of the other`;
}

function notProven(first: Checkpoint, second: Checkpoint): string {
  if (second.size < first.size)
    return `the log was seen at ${first.size} entries and later at ${second.size}: it went back, or an older copy was served; that is the finder's word, for both may belong to one log`;
  return `nothing here shows that the logs of ${first.size} and ${second.size} entries differ`;
}

/** @throws TypeError where the text is no evidence */
export function parseEvidence(text: string): ForkEvidence {
  const value: unknown = JSON.parse(text);
  if (!isEvidence(value)) throw new TypeError(`this is no file of the format ${EVIDENCE_FORMAT}`);
  return value;
}

function isEvidence(value: unknown): value is ForkEvidence {
  if (typeof value !== 'object' || value === null) return false;
  const {
    format,
    verifier_key: key,
    found_at: at,
    first,
    second,
    prefix,
    rotations = [],
  } = value as { [name: string]: unknown };
  return (
    format === EVIDENCE_FORMAT &&
    [key, at, first, second].every((text) => typeof text === 'string') &&
    Array.isArray(rotations) &&
    rotations.every((note) => typeof note === 'string') &&
    (prefix === undefined || isPrefix(prefix))
  );
}

function isPrefix(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { root, proof } = value as { [name: string]: unknown };
  return typeof root === 'string' && Array.isArray(proof) && proof.every((hash) => typeof hash === 'string');
}

function sameRoot(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

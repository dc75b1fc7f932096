/**
 * Single entries with their inclusion proofs, in an export: those that announced a pruning, and the neighbours of the range. A line is
 * `{"seq":N,"leaf":"hex","salt":"hex","detail":"canonical JSON as a string","proof":["base64",…]}`; of a neighbour, which is there
 * for its time alone, salt and detail are empty.
 */
import { commitmentPreimage, SALT_BYTES } from '../detail/commitment.js';
import { LeafView, MalformedLeafError } from '../leaf/leaf.js';
import type { Checkpoint } from '../note/checkpoint.js';
import { verifyInclusion } from '../tree/verify.js';
import { BrokenLinkError, checkDetail } from '../verify/link.js';
import type { Opening } from '../verify/source.js';

export interface ProvedLine {
  readonly seq: number;
  readonly leaf: Uint8Array;
  readonly opening: Pick<Opening, 'salt' | 'detail'> | undefined;
  /** RFC 6962, under the checkpoint of the export. */
  readonly proof: readonly Uint8Array[];
}

interface Fields {
  readonly seq: number;
  readonly leaf: string;
  readonly salt: string;
  readonly detail: string;
  readonly proof: readonly string[];
}

export function provedLine({ seq, leaf, opening, proof }: ProvedLine): string {
  return lineText({
    seq,
    leaf: Buffer.from(leaf).toString('hex'),
    salt: Buffer.from(opening?.salt ?? []).toString('hex'),
    detail: Buffer.from(opening?.detail ?? []).toString('utf8'),
    proof: proof.map((hash) => Buffer.from(hash).toString('base64')),
  });
}

/** One for each line; undefined where `provedLine` would not have written it. Nothing is believed of them yet: see `provedLeaf`. */
export function readProvedLines(bytes: Buffer): (ProvedLine | undefined)[] {
  const lines = bytes.toString('utf8').split('\n');
  const rest = lines.pop();
  return [...lines.map(readLine), ...(rest === '' ? [] : [undefined])];
}

/** The leaf, once the entry is found to be in the tree and to have committed to the detail; undefined otherwise. */
export function provedLeaf(
  { seq, leaf: bytes, opening, proof }: ProvedLine,
  checkpoint: Checkpoint,
): LeafView | undefined {
  try {
    const leaf = new LeafView(bytes);
    if (leaf.seq !== seq || !verifyInclusion(bytes, seq, checkpoint, proof)) return undefined;
    if (opening !== undefined) checkDetail(leaf, commitmentPreimage(opening.salt, opening.detail));
    return leaf;
  } catch (error) {
    if (error instanceof MalformedLeafError || error instanceof BrokenLinkError) return undefined;
    throw error;
  }
}

function readLine(text: string): ProvedLine | undefined {
  try {
    const { seq, leaf, salt, detail, proof } = JSON.parse(text) as Fields;
    if (lineText({ seq, leaf, salt, detail, proof }) !== `${text}\n`) return undefined;
    if (!Number.isSafeInteger(seq) || (salt.length !== 2 * SALT_BYTES && salt + detail !== '')) return undefined;
    return {
      seq,
      leaf: Buffer.from(leaf, 'hex'),
      opening: salt === '' ? undefined : { salt: Buffer.from(salt, 'hex'), detail: Buffer.from(detail) },
      proof: proof.map((hash) => Buffer.from(hash, 'base64')),
    };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

function lineText({ seq, leaf, salt, detail, proof }: Fields): string {
  return `${JSON.stringify({ seq, leaf, salt, detail, proof })}\n`;
}

/** One entry against its predecessor: what every verifier, ours and an outsider's, checks of each leaf. */
import { SALT_BYTES } from '../detail/commitment.js';
import { decodeLeaf, type Leaf, MalformedLeafError } from '../leaf/leaf.js';
import { sha256 } from '../tree/hash.js';

/** What the entry before leaves behind. */
export interface LinkState {
  readonly seq: number;
  readonly prev: Uint8Array;
  readonly receivedUs: number;
}

/** Names the first thing wrong with an entry; `what` is a sentence without its subject. */
export class BrokenLinkError extends Error {
  override readonly name = 'BrokenLinkError';
}

/** Decodes `leaf` and checks seq, link and ledger clock against what must precede it. */
export function checkLink(leaf: Uint8Array, before: LinkState): Leaf {
  const decoded = decodeOrBroken(leaf);
  if (decoded.seq !== before.seq) throw new BrokenLinkError(`leaf says seq ${decoded.seq}`);
  if (Buffer.compare(decoded.prev, before.prev) !== 0)
    throw new BrokenLinkError('prev is not the entry hash of the entry before');
  if (decoded.receivedUs < before.receivedUs) throw new BrokenLinkError('received_us runs backwards');
  return decoded;
}

/** Checks that 0x02 | salt | detail is what the leaf committed to. */
export function checkDetail(leaf: Leaf, preimage: Uint8Array): void {
  if (preimage.length !== 1 + SALT_BYTES + leaf.detailLength || !sha256(preimage).equals(leaf.detailCommit)) {
    throw new BrokenLinkError('detail is not what the leaf committed to');
  }
}

/** Decodes a leaf; BrokenLinkError where it cannot be. */
export function decodeOrBroken(leaf: Uint8Array): Leaf {
  try {
    return decodeLeaf(leaf);
  } catch (error) {
    if (error instanceof MalformedLeafError) throw new BrokenLinkError(error.message);
    throw error;
  }
}

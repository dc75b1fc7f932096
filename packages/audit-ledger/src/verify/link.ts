/** One entry against its predecessor: what every verifier, ours and an outsider's, checks of each leaf. */
import { SALT_BYTES } from '../detail/commitment.js';
import { LeafView, MalformedLeafError } from '../leaf/leaf.js';
import { type Digest, digest } from '../tree/hash.js';

/** What the entry before leaves behind. */
export interface LinkState {
  readonly seq: number;
  readonly prev: Digest;
  readonly receivedUs: number;
}

/** Names the first thing wrong with an entry; `what` is a sentence without its subject. */
export class BrokenLinkError extends Error {
  override readonly name = 'BrokenLinkError';
}

/** Checks seq, link and ledger clock against what must precede a leaf. */
export function checkLink(leaf: LeafView, before: LinkState): void {
  if (leaf.seq !== before.seq) throw new BrokenLinkError(`leaf says seq ${leaf.seq}`);
  if (!leaf.follows(before.prev)) throw new BrokenLinkError('prev is not the entry hash of the entry before');
  if (leaf.receivedUs < before.receivedUs) throw new BrokenLinkError('received_us runs backwards');
}

type Committed = Pick<LeafView, 'detailLength' | 'commitsTo'>;

/** Whether 0x02 | salt | detail is what the leaf committed to. */
export function isDetailOf(leaf: Committed, preimage: Uint8Array): boolean {
  return preimage.length === 1 + SALT_BYTES + leaf.detailLength && leaf.commitsTo(digest(preimage));
}

/** @throws BrokenLinkError where it is not */
export function checkDetail(leaf: Committed, preimage: Uint8Array): void {
  if (!isDetailOf(leaf, preimage)) throw new BrokenLinkError('detail is not what the leaf committed to');
}

/** The leaf that begins at `offset`; BrokenLinkError where none does. */
export function leafOrBroken(bytes: Uint8Array, offset = 0): LeafView {
  try {
    return new LeafView(bytes, offset);
  } catch (error) {
    if (error instanceof MalformedLeafError) throw new BrokenLinkError(error.message);
    throw error;
  }
}

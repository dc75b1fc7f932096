/** What an outsider needs to verify a log without trusting its server. No I/O: sources are handed in. */
export { commitDetail } from '../detail/commitment.js';
export { decodeLeaf, type Leaf, LeafType } from '../leaf/leaf.js';
export { type Checkpoint, openCheckpoint } from '../note/checkpoint.js';
export { parseVerifierKey, type VerifierKey } from '../note/keys.js';
export { NoteError } from '../note/note.js';
export { followRotations } from '../note/rotation.js';
export { formatTlogProof, parseTlogProof, type TlogProof, verifyTlogProof } from '../note/tlog-proof.js';
export { type ForkEvidence, judgeEvidence, parseEvidence, type Verdict } from '../reader/fork-evidence.js';
export { leafHash } from '../tree/hash.js';
export { type TreeHead, verifyConsistency, verifyInclusion } from '../tree/verify.js';
export type { FollowedCheckpoint } from './followed-key.js';
export { type FetchLike, httpSource } from './http-source.js';
export { type LogSource, type Opening, SourceError, type SourceFault } from './source.js';
export { type VerifyOptions, type VerifyReport, verifyAgainst, verifyLog } from './verify-log.js';
export type { Finding } from './walker.js';

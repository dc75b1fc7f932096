import { NoteError, openCheckpoint, verifyConsistency } from '@sentinel/audit-ledger/verify';
import type { GetCheckpointResponse } from '@sentinel/contracts/sentinel/v1/audit.js';
import type { Context } from '../context.js';
import { Pin } from '../pinned-key.js';

/** Why the ledger contradicts what this installation verified of it before, as a sentence; null = it does not, or nothing was. */
export async function contradiction(
  context: Context,
  { checkpoint: note, rotations }: GetCheckpointResponse,
): Promise<string | null> {
  const pin = new Pin(context.endpoints, context.dataDir);
  const key = pin.read();
  const known = key === null ? null : pin.checkpoint(key);
  if (key === null || known === null) return null;
  try {
    const now = openCheckpoint(note, pin.newest(key, rotations));
    if (now.size < known.size) return `it has ${now.size} entries now; ${known.size} were verified before`;
    const proof = now.size === known.size ? [] : await context.ledger().consistencyProof(known.size, now.size);
    if (verifyConsistency(known, now, proof)) return null;
    return `its ${now.size} entries do not begin with the ${known.size} that were verified before`;
  } catch (error) {
    if (error instanceof NoteError) return error.message;
    throw error;
  }
}

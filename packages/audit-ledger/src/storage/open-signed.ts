/** A stored log under a checkpoint of its key: the one in the second place serves where the first is damaged. */
import type { VerifierKey } from '../note/keys.js';
import { NoteError } from '../note/note.js';
import { followCheckpoint } from '../verify/followed-key.js';
import { type LogSource, SourceError } from '../verify/source.js';
import type { Backend, StoredLog } from './backend.js';

/** @throws SourceError */
export async function openSigned({ openSource }: Pick<Backend, 'openSource'>, key: VerifierKey): Promise<StoredLog> {
  const first = await openSource();
  if (await isSigned(first, key)) return first;
  const second = await openSource('second').catch((error: unknown) => {
    if (error instanceof SourceError) return undefined;
    throw error;
  });
  if (second === undefined) return first;
  const [taken, other] = (await isSigned(second, key)) ? [second, first] : [first, second];
  await other.close();
  return taken;
}

async function isSigned(source: LogSource, key: VerifierKey): Promise<boolean> {
  try {
    await followCheckpoint(await source.checkpoint(), source, key);
    return true;
  } catch (error) {
    // Whatever else is wrong the verification says.
    return !(error instanceof NoteError);
  }
}

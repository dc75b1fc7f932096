import { readFileSync } from 'node:fs';
import { judgeEvidence, NoteError, parseEvidence, type Verdict } from '@sentinel/audit-ledger/verify';
import { EXIT, SentinelError } from '@sentinel/service-kit/errors';
import type { Context } from '../context.js';
import { usageError } from '../failure.js';
import { keyOfFlag, Pin } from '../pinned-key.js';

/**
 * Says what a file `fork-evidence-*.json` proves. 0 = the log's key signed two different logs, 1 = it proves no such thing.
 * @param key as a flag gave it; undefined = the pinned one. What the file says of the key is not believed.
 */
export function auditEvidence(context: Context, file: string, key: string | undefined): number {
  const known = key === undefined ? new Pin(context.endpoints, context.dataDir).read() : keyOfFlag(key);
  if (known === null) throw usageError('--key', 'no key is pinned here: give that of the log with --key');
  const verdict = verdictOf(file, known.text);
  context.answer(verdict, () => `${verdict.proven ? 'PROVEN' : 'NOT PROVEN'}: ${verdict.what}`);
  return verdict.proven ? EXIT.ok : EXIT.negative;
}

function verdictOf(file: string, key: string): Verdict {
  try {
    return judgeEvidence(parseEvidence(readFileSync(file, 'utf8')), key);
  } catch (cause) {
    if (cause instanceof NoteError) return { proven: false, what: cause.message };
    throw new SentinelError({
      code: 'INVALID_ARGUMENT',
      field: 'FILE',
      message: `${file} holds no evidence (${(cause as Error).message})`,
      cause,
    });
  }
}

import { EXIT } from '@sentinel/service-kit/errors';
import type { Context } from '../context.js';
import { Pin } from '../pinned-key.js';

/** The note verifier key: the pinned one, or else what the ledger says. */
export async function auditKey(context: Context): Promise<number> {
  const pinned = new Pin(context.endpoints, context.dataDir).read();
  const key = pinned?.text ?? (await context.ledger().checkpoint()).verifierKey;
  context.answer({ key, from: pinned === null ? 'ledger' : 'pinned' }, () => key);
  return EXIT.ok;
}

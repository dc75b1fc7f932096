import type { RotateKeyResponse } from '@sentinel/contracts/sentinel/v1/audit.js';
import type { WriterContext } from './context.js';
import { publicLedgerError } from './errors.js';

/** @param by who ordered it, for the entry that hands over */
export async function rotateKey(
  { keyRing, ledger }: Pick<WriterContext, 'keyRing' | 'ledger'>,
  by: string,
): Promise<RotateKeyResponse> {
  const { verifierKey, seq } = await keyRing.rotate(by).catch((error: unknown) => {
    throw publicLedgerError(error);
  });
  return { verifierKey, seq: BigInt(seq), checkpoint: ledger.checkpoint.note };
}

/** Whether a key may begin a log, and how that is taken note of. */
import type { AuditLedgerConfig } from '@sentinel/service-kit/config';
import { isMarkedUnused, removeMark } from './note/unused-mark.js';
import { signingKeyOf } from './settings.js';

export interface Beginning {
  readonly allowed: boolean;
  /** An operator asked for a new log: one that is there already is an error. */
  readonly demanded: boolean;
  /** From here on the key is one that signs. Called before it does. @throws SentinelError */
  taken(): void;
}

export const NEVER: Beginning = { allowed: false, demanded: false, taken: () => undefined };

/** @param newLog an operator says that the key never signed a log, for its file does not: a mounted secret, or a value */
export function beginningOf(
  config: Pick<AuditLedgerConfig, 'signing_key' | 'signing_key_path' | 'origin'>,
  newLog: boolean,
): Beginning {
  const { signing_key_path: file } = config;
  const marked = file !== '' && isMarkedUnused(file, signingKeyOf(config).verifier.text);
  const taken = (): void => {
    if (marked) removeMark(file);
  };
  return { allowed: newLog || marked, demanded: newLog, taken: newLog ? () => attempt(taken) : taken };
}

/** A mark that cannot be removed refuses the next beginning. */
function attempt(work: () => void): void {
  try {
    work();
  } catch {
    return;
  }
}

/** Whether a key may begin a log, and how that is taken note of. */
import type { AuditLedgerConfig } from '@sentinel/service-kit/config';
import { isMarkedUnused, removeMark } from './note/unused-mark.js';
import { signingKeyOf } from './settings.js';

export interface Beginning {
  readonly allowed: boolean;
  /** An operator asked for a new log: one that is there already is an error, unless this process began it. */
  readonly demanded: boolean;
  /**
   * From here on the key is one that signs. Called before it does.
   * @param again another try or process began this log and had got no further: it may take note of that at any moment too
   * @throws SentinelError
   */
  taken(again: boolean): void;
}

export const NEVER: Beginning = { allowed: false, demanded: false, taken: () => undefined };

/** @param newLog an operator says that the key never signed a log, for its file does not: a mounted secret, or a value */
export function beginningOf(
  config: Pick<AuditLedgerConfig, 'signing_key' | 'signing_key_path' | 'origin'>,
  newLog: boolean,
): Beginning {
  const { signing_key_path: file } = config;
  const marked = file !== '' && isMarkedUnused(file, signingKeyOf(config).verifier.text);
  const unmark = (again: boolean): void => {
    if (marked) removeMark(file, again);
  };
  let begun = false;
  return {
    get allowed() {
      return !begun && (newLog || marked);
    },
    get demanded() {
      return !begun && newLog;
    },
    taken: (again) => {
      if (newLog) attempt(() => unmark(again));
      else unmark(again);
      begun = true;
    },
  };
}

/** A mark that cannot be removed refuses the next beginning. */
function attempt(work: () => void): void {
  try {
    work();
  } catch {
    return;
  }
}

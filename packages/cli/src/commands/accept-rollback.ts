import type { AcceptLedgerRollbackResponse } from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { EXIT, SentinelError } from '@sentinel/service-kit/errors';
import type { Context } from '../context.js';
import { Pin } from '../pinned-key.js';
import { plural } from '../views/index.js';
import { contradiction } from './ledger-standing.js';

/** The engine, and this installation, go on with a ledger that was rolled back on purpose. */
export async function acceptRollback(context: Context, reason: string): Promise<number> {
  const pin = new Pin(context.endpoints, context.dataDir);
  const answer = await context
    .engine()
    .acceptLedgerRollback(reason)
    .catch((error: unknown) => {
      if (error instanceof SentinelError && error.code === 'FAILED_PRECONDITION') return error;
      throw error;
    });
  const here = pin.read() !== null && (await contradiction(context, await context.ledger().checkpoint())) !== null;
  // Another installation was faster with the engine; what this one remembers is its own.
  if (answer instanceof SentinelError && !here) throw answer;
  const accepted = answer instanceof SentinelError ? null : answer;
  const forgotten = here ? pin.acceptRollback() : null;
  context.answer({ accepted, forgotten }, () =>
    [
      accepted === null ? 'The engine has nothing to accept.' : engineText(accepted),
      ...(forgotten === null ? [] : [`What was verified here before the rollback is in ${forgotten} now.`]),
    ].join('\n'),
  );
  return EXIT.ok;
}

function engineText(accepted: AcceptLedgerRollbackResponse): string {
  const { knownEntries, entries, lostFrom, sentAgain, notKeptUntil, lostDecisions, lostDecisionsTotal } = accepted;
  const named = lostDecisions.map(({ gpu, seq }) => `  entry ${seq}, GPU ${gpu}`);
  const more = lostDecisionsTotal - lostDecisions.length;
  return [
    `The engine goes on with the ledger, which had ${knownEntries} entries and has ${entries}.`,
    lostFrom === 0n ? 'How much it lost the ledger does not say.' : `It lost what it had from entry ${lostFrom} on.`,
    `${plural(sentAgain, 'event')} of this engine that it had taken ${sentAgain === 1 ? 'is' : 'are'} kept here and sent again.`,
    notKeptUntil === 0n
      ? 'Nothing that it acknowledged to this engine is lost.'
      : `LOST: of entries ${lostFrom} to ${notKeptUntil - 1n} what this engine sent is not kept any more, ${plural(lostDecisionsTotal, 'decision')} among it${named.length === 0 ? '.' : ':'}`,
    ...named,
    ...(more > 0 ? [`  and ${more} more, which the database of the engine has (transitions)`] : []),
    'This is an event of the ledger, with the reason.',
  ].join('\n');
}

import type { Transition } from '@sentinel/contracts/sentinel/v1/health.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Kysely } from 'kysely';
import type { ProposalTable, Tables } from '../store/schema.js';
import { toTransition } from './explain-decision.js';

/** A proposal as the store has it, once it waits no longer; undefined = there never was one. */
export function findDecided(db: Kysely<Tables>, id: string): Promise<ProposalTable | undefined> {
  return db
    .selectFrom('proposals')
    .selectAll()
    .where('id', '=', id)
    .where('outcome', '!=', 'PENDING')
    .executeTakeFirst();
}

/** The transition that an approval made; undefined for a deep test. */
export async function transitionOf(db: Kysely<Tables>, { event_id }: ProposalTable): Promise<Transition | undefined> {
  if (event_id === null) return undefined;
  const row = await db.selectFrom('transitions').selectAll().where('event_id', '=', event_id).executeTakeFirst();
  return row === undefined ? undefined : toTransition(row);
}

/** Why an answer to a proposal, or its approval, comes to nothing. */
export function decidedOtherwise(id: string, row: ProposalTable | undefined): SentinelError {
  const field = 'directive_id';
  if (row === undefined) {
    const hint = 'List what waits with `npx sentinel quarantine pending`.';
    return new SentinelError({ code: 'NOT_FOUND', message: `nothing waits for approval as ${id}`, field, hint });
  }
  const by = row.decided_by === '' ? '' : ` by ${row.decided_by}`;
  const message = `${id} (${row.action} of ${row.gpu}) is ${row.outcome}${by}: ${row.decision_reason}`;
  const reason = row.outcome === 'EXPIRED' ? 'EXPIRED' : 'ALREADY_DECIDED';
  const hint = 'Give a new order if it is still wanted.';
  return new SentinelError({ code: 'FAILED_PRECONDITION', reason, message, field, hint });
}

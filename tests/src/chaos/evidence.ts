import { UplinkPayload } from '@sentinel/contracts/sentinel/v1/probe.js';
import { historyLogOf, type TestAgent, type TestLedger } from '@sentinel/correlation-engine/testing';
import type { Decision } from '../check/decisions.js';
import type { SentEvent } from '../check/events.js';
import type { AcknowledgedRecord, EngineEvidence } from '../check/reconcile.js';
import { type History, runsOf } from '../harness/history.js';
import type { Cluster } from './stores.js';

/** A server of PostgreSQL, asked one statement at a time. */
export interface Database {
  sql(text: string, database: string): Promise<Record<string, unknown>[]>;
}

/** What an agent sent, all of which was acknowledged. */
export function sentBy(agent: TestAgent): AcknowledgedRecord[] {
  const spoolId = agent.spoolId.toString('hex');
  return agent.payloads.map((payload, index) => ({
    spoolId,
    sequence: index + 1,
    rows: runsOf(UplinkPayload.decode(payload)),
  }));
}

const all = (columns: string, table: string) =>
  `coalesce((select json_agg(each) from (select ${columns} from ${table}) each), '[]')`;

/** One statement: all of it as of one moment. */
const EVIDENCE = `select
  ${all('spool_id, committed_through', 'spools')} as watermarks,
  ${all('device_id, family, runs, executions, failures', 'counters')} as counters,
  ${all('spool_id, sequence, "row", sm', 'observations')} as failing`;

/** What the engines have, by SQL and from the history, without asking an engine. */
export async function engineEvidence(
  postgres: Database,
  database: string,
  history: { readonly folder: string; readonly cluster: Cluster | null },
): Promise<EngineEvidence & { readonly archived: History['through'] }> {
  const [evidence = {}] = await postgres.sql(EVIDENCE, database);
  const rows = (name: string) => evidence[name] as Record<string, unknown>[];
  const watermarks = rows('watermarks').map((row) => ({
    spoolId: String(row.spool_id),
    committedThrough: Number(row.committed_through),
  }));
  const counters = rows('counters').map((row) => ({
    device: String(row.device_id),
    family: Number(row.family),
    runs: Number(row.runs),
    executions: Number(row.executions),
    failures: Number(row.failures),
  }));
  const failing = rows('failing').map((row) => ({
    spoolId: String(row.spool_id),
    sequence: Number(row.sequence),
    row: Number(row.row),
    sm: Number(row.sm),
  }));
  const { runs, through } = await historyOf(history);
  return { watermarks, counters, failing, history: runs, archived: through };
}

export async function decisions(postgres: Database, database: string): Promise<Decision[]> {
  const text = 'select device_id, from_state, to_state, actor, event_id from transitions order by commit_seq, event_id';
  return (await postgres.sql(text, database)).map((row) => ({
    device: String(row.device_id),
    from: String(row.from_state),
    to: String(row.to_state),
    actor: String(row.actor),
    eventId: String(row.event_id),
  }));
}

/** Every event of every request that the ledger took. */
export function sentEvents({ requests }: TestLedger): SentEvent[] {
  return requests.flatMap(({ firstSequence, events }) =>
    events.map(({ eventId, type, gpu, detail, eventUs }, index) => ({
      number: Number(firstSequence) + index,
      eventId: Buffer.from(eventId).toString('hex'),
      content: [type, gpu, eventUs, Buffer.from(detail).toString('utf8')].join(' '),
    })),
  );
}

async function historyOf(history: { readonly folder: string; readonly cluster: Cluster | null }): Promise<History> {
  const { folder, cluster } = history;
  const log = historyLogOf(folder, cluster === null ? null : { ...cluster, password_path: '' });
  try {
    const runs: History['runs'][number][] = [];
    const through = new Map<string, number>();
    for (let records = await log.next(); records.length > 0; records = await log.next())
      for (const { spoolId, sequence, payload } of records) {
        through.set(spoolId, Math.max(sequence, through.get(spoolId) ?? 0));
        runs.push(...runsOf(UplinkPayload.decode(payload)).map((run, row) => ({ ...run, spoolId, sequence, row })));
      }
    return { runs, through };
  } finally {
    await log.close();
  }
}

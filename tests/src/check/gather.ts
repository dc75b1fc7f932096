import { join } from 'node:path';
import { readJournal } from '../harness/ack-journal.js';
import { EngineSql } from '../harness/engine-sql.js';
import { readHistory } from '../harness/history.js';
import type { Stack } from '../harness/stack.js';
import { type AcknowledgedRecord, assertArchived, type EngineEvidence } from './reconcile.js';

/**
 * Both sides of the comparison, each from its own files: the agent's journal, the engine's tables and segment files.
 * @throws UnsettledError while the history is behind the commits, or ahead of those that were read
 */
export async function gather(
  stack: Stack,
  journalFile: string,
): Promise<{ acknowledged: AcknowledgedRecord[]; engine: EngineEvidence }> {
  await using sql = await EngineSql.open(stack);
  const evidence = await sql.evidence();
  const history = await readHistory(join(stack.folder, 'history'));
  assertArchived(evidence.watermarks, history.through);
  return { acknowledged: readJournal(journalFile), engine: { ...evidence, history: history.runs } };
}

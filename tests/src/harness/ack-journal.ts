import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AcknowledgedRecord, RunFacts } from '../check/reconcile.js';
import type { Stack } from './stack.js';

/** One line of the agent's journal: it is on disk before the agent forgets the record. */
interface JournalLine {
  readonly spoolId: string;
  readonly sequence: number;
  readonly runs: readonly JournalRun[];
}

interface JournalRun {
  readonly device: string;
  readonly family: number;
  readonly kind: number;
  readonly epoch: number;
  readonly index: number;
  readonly smsRun: number;
  readonly failedSms: readonly number[];
}

export function journalOf(stack: Stack, node: string): string {
  return join(stack.folder, 'spool', node, 'acks.jsonl');
}

/** Acknowledged records, in the order of their acknowledgement. A last line that a kill cut short was never written. */
export function readJournal(file: string): AcknowledgedRecord[] {
  if (!existsSync(file)) return [];
  const text = readFileSync(file, 'utf8');
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => recordOf(JSON.parse(line) as JournalLine));
}

function recordOf({ spoolId, sequence, runs }: JournalLine): AcknowledgedRecord {
  return { spoolId, sequence, rows: runs.map(factsOf) };
}

function factsOf({ device, family, kind, epoch, index, smsRun, failedSms }: JournalRun): RunFacts {
  return { device, family, kind, epoch, index, executions: smsRun, failing: failedSms.toSorted((a, b) => a - b) };
}

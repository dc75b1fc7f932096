import { type AuditEntry, AuditType } from '@sentinel/contracts/sentinel/v1/audit.js';
import { enumName, injectedMark, time } from './format.js';
import { shortIds } from './ids.js';
import { plain } from './plain.js';
import { table } from './table.js';

/** Entries of the ledger, newest first. */
export function auditTable(entries: readonly AuditEntry[]): string {
  if (entries.length === 0) return 'The ledger has no such entry.';
  const short = shortIds(entries.map((entry) => entry.gpu));
  return table(
    [
      { title: 'SEQ', align: 'right' },
      { title: 'TIME (UTC)' },
      { title: 'TYPE' },
      { title: 'DEVICE' },
      { title: 'EVENT' },
      { title: 'NOTE' },
    ],
    entries.map((entry) => [
      String(entry.seq),
      time(entry.eventUs).replace('Z', ''),
      typeName(entry.type),
      short.get(entry.gpu) ?? '',
      eventText(detailOf(entry)),
      injectedMark(entry.injected),
    ]),
  );
}

export function typeName(type: AuditType): string {
  return enumName(AuditType, type).toLowerCase();
}

/** Names that `--type` takes. */
export const TYPE_NAMES: readonly string[] = Object.keys(AuditType)
  .filter((name) => name !== 'UNSPECIFIED' && name !== 'UNRECOGNIZED')
  .map((name) => name.toLowerCase());

/** null where the detail was pruned or is no JSON object. */
export function detailOf({ detail }: AuditEntry): Readonly<Record<string, unknown>> | null {
  try {
    const found: unknown = JSON.parse(Buffer.from(detail).toString('utf8'));
    return typeof found === 'object' ? (found as Record<string, unknown> | null) : null;
  } catch {
    return null;
  }
}

/** `SUSPECT>QUARANTINED`, `agent_registered`. */
function eventText(detail: Readonly<Record<string, unknown>> | null): string {
  if (detail === null) return '(detail pruned)';
  const { event, from, to } = detail;
  const name = typeof event === 'string' ? event : '(no event)';
  return plain(typeof from === 'string' && typeof to === 'string' ? `${from}>${to}` : name);
}

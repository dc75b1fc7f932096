/** What the configuration says may go by now. */
import type { AuditLedgerConfig } from '@sentinel/service-kit/config';
import type { PruneRequest } from './plan.js';

const DAY_US = 86_400e6;

/** 0 days = never. */
export function dueRequest(
  { detail_retention_days: details, summary_retention_days: leaves }: AuditLedgerConfig['retention'],
  nowUs: number,
): PruneRequest {
  const before = (days: number): number | undefined => (days === 0 ? undefined : nowUs - days * DAY_US);
  return { detailsBeforeUs: before(details), leavesBeforeUs: before(leaves) };
}

import type { EffectRows } from '../commit/merge.js';
import type { CoreRecord, Effects } from '../core.js';
import type { ProposalTable, Tables } from '../store/schema.js';
import { KEPT_SNAPSHOTS } from '../store/writer.js';

/** What the store replaces or gives up as the log goes on, and has only as it stands at the end. */
export class Remembered {
  readonly proposals = new Map<string, ProposalTable>();
  /** As many as the store keeps, oldest first. */
  readonly snapshots: Tables['trust_snapshots'][] = [];
  /** Highest sequence of each spool, by node and spool. */
  readonly watermarks = new Map<string, number>();

  add(record: CoreRecord, { moved }: Effects, rows: EffectRows): void {
    if ('spoolId' in record) this.watermarks.set(spoolName(record.node, record.spoolId), record.sequence);
    for (const { from, to } of moved) for (const row of this.proposals.values()) if (row.gpu === from) row.gpu = to;
    for (const row of rows.proposals) {
      const gpu = this.proposals.get(row.id)?.gpu ?? row.gpu;
      this.proposals.set(row.id, { ...row, gpu });
    }
    for (const snapshot of rows.trustSnapshots) {
      // The first of one time is kept.
      if (this.snapshots.some(({ taken_us }) => taken_us === snapshot.taken_us)) continue;
      this.snapshots.push(snapshot);
      if (this.snapshots.length > KEPT_SNAPSHOTS) this.snapshots.shift();
    }
  }
}

export function spoolName(node: string, spoolId: string): string {
  return `${spoolId} of ${node}`;
}

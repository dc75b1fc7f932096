import type { CqlConfig } from '@sentinel/service-kit/cql/connect';
import { HistoryTail } from '../replay/history-tail.js';
import type { HistoryLog } from '../store/history/history-store.js';
import { ScyllaLog } from '../store/history/scylla/scylla-log.js';

/** All of a history, whether engines append to it or not. @param cluster null = the segment files of `folder` */
export function historyLogOf(folder: string, cluster: CqlConfig | null): HistoryLog {
  return cluster === null ? new HistoryTail(folder) : new ScyllaLog(cluster);
}

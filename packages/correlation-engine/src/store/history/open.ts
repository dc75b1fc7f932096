import { type CorrelationEngineConfig, folderOf } from '@sentinel/service-kit/config';
import type { Logger } from '@sentinel/service-kit/logging';
import { HistoryTail } from '../../replay/history-tail.js';
import { FileHistory } from './file-history.js';
import type { HistoryLog, HistoryStore } from './history-store.js';
import { ScyllaHistory } from './scylla/scylla-history.js';
import { ScyllaLog } from './scylla/scylla-log.js';

type HistoryConfig = Pick<CorrelationEngineConfig, 'history' | 'scylla'>;

/** Contact points select the cluster, whatever `history.url` says. */
export function isClustered({ scylla }: HistoryConfig): boolean {
  return scylla.contact_points.length > 0;
}

/** @throws SentinelError when the settings cannot work; a cluster that is away is no error */
export function openHistory(config: HistoryConfig, log: Logger): Promise<HistoryStore> {
  return isClustered(config)
    ? ScyllaHistory.open({ cluster: config.scylla, retentionDays: config.history.retention_days })
    : FileHistory.open(folderOf(config.history.url) ?? '', log);
}

/** All of it, for a replay beside the engine. */
export function historyLog(config: HistoryConfig): HistoryLog {
  return isClustered(config) ? new ScyllaLog(config.scylla) : new HistoryTail(folderOf(config.history.url) ?? '');
}

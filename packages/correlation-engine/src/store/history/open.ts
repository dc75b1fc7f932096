import { setTimeout as sleep } from 'node:timers/promises';
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

function openCluster({ scylla, history }: HistoryConfig): Promise<HistoryStore> {
  return ScyllaHistory.open({ cluster: scylla, retentionDays: history.retention_days });
}

/** @throws SentinelError when the settings cannot work; a cluster that is away is no error */
export function openHistory(config: HistoryConfig, log: Logger): Promise<HistoryStore> {
  return isClustered(config) ? openCluster(config) : FileHistory.open(folderOf(config.history.url) ?? '', log);
}

/** A cluster that hangs is found out later: other replicas do not wait for this one, and the first one is to decide. */
const CHECK_MS = 5_000;

/**
 * For a replica before it seeks the lead, where a history that cannot be opened ends nothing any more. Segment files are not looked at:
 * they are those of whoever decides.
 * @throws SentinelError where settings have to change
 */
export async function checkHistory(config: HistoryConfig): Promise<void> {
  if (!isClustered(config)) return;
  const opening = openCluster(config);
  const closed = opening.then((history) => history.close());
  closed.catch(() => {});
  await Promise.race([closed, sleep(CHECK_MS, undefined, { ref: false })]);
}

/** All of it, for a replay beside the engine. */
export function historyLog(config: HistoryConfig): HistoryLog {
  return isClustered(config) ? new ScyllaLog(config.scylla) : new HistoryTail(folderOf(config.history.url) ?? '');
}

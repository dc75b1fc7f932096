import { Gauge, type Registry, readGauge } from '@sentinel/service-kit/metrics';
import { type CoreState, waitingProposals } from '../core.js';
import { observeEachGpu } from './gpu-gauges.js';
import { observeNodes } from './node-gauges.js';
import { STATES } from './states.js';

/** What the gauges read when they are scraped. */
export interface Gauges {
  state(): CoreState;
  /** Time of the newest commit. */
  nowUs(): number;
  connectedAgents(): number;
  decides(): boolean;
  serves(): boolean;
  carriedCalls(): number;
  clockAheadSeconds(): number;
  waitingRecords(): number;
  mayWaitRecords(): number;
  waitingHistoryBytes(): number;
  outboxPending(): number;
  outboxLagSeconds(): number;
  /** To this replica or another. */
  isConnected(node: string): boolean;
  /** What a device's sensor said last; undefined = nothing. */
  sensor(gpu: string, field: string): number | undefined;
  eventStreams(): number;
}

/** Gauges are read when they are scraped. @param maxGpus largest fleet for which each device has series of its own */
export function observeGauges(gauges: Gauges, registry: Registry, maxGpus: number): void {
  const gauge = (name: string, help: string, read: () => number): void => readGauge(registry, name, help, read);
  gauge(
    'sentinel_grpc_active_streams',
    'Agents connected to this replica. Falling: see the log of the agents.',
    gauges.connectedAgents,
  );
  gauge(
    'sentinel_replica_decides',
    '1 = this engine decides. Summed over the replicas not 1 for more than 10 s: see their logs.',
    () => Number(gauges.decides()),
  );
  gauge(
    'sentinel_replica_serving',
    '1 = this engine decides, or reaches the one that does. 0 for more than 10 s: see its log.',
    () => Number(gauges.serves()),
  );
  gauge(
    'sentinel_replica_carried_calls',
    'Calls that this replica carries to the one that decides. Falling to 0: see its log.',
    gauges.carriedCalls,
  );
  gauge(
    'sentinel_replica_clock_ahead_seconds',
    "How far this machine's clock is ahead of the database's, when a replica that does not decide last looked. Above 60: see its time service.",
    gauges.clockAheadSeconds,
  );
  gauge('sentinel_correlation_buffer_size', 'Records that wait for their commit.', gauges.waitingRecords);
  gauge(
    'sentinel_correlation_buffer_max',
    'Records that may wait before agents are slowed down: so many for each that is connected. All together are held up earlier where they are large.',
    gauges.mayWaitRecords,
  );
  gauge(
    'sentinel_history_pending_bytes',
    'Committed records that wait for the history. Growing: check the disk of history.url.',
    gauges.waitingHistoryBytes,
  );
  gauge(
    'sentinel_outbox_pending',
    'Events that wait for the audit ledger. Growing: check that the ledger runs.',
    gauges.outboxPending,
  );
  gauge(
    'sentinel_outbox_lag_seconds',
    'Age of the oldest event that waits for the audit ledger; 0 = none waits. Growing: check that the ledger runs.',
    gauges.outboxLagSeconds,
  );
  gauge('sentinel_event_streams', 'Readers of live updates, connected to this replica.', gauges.eventStreams);
  gauge(
    'sentinel_incidents',
    'Cohorts that fail broadly, where quarantines are held. Any: suspect software, not hardware.',
    () => gauges.state().fleet.incidents.filter(({ endedUs }) => endedUs === null).length,
  );
  gauge(
    'sentinel_approvals_pending',
    'Actions that wait for an operator. Any: see `sentinel quarantine pending`.',
    () => waitingProposals(gauges.state()).length,
  );
  new Gauge({
    name: 'sentinel_gpus',
    help: 'Devices by state.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const counts = new Map(STATES.map((state) => [state, 0]));
      for (const { state, replaced } of gauges.state().devices.values())
        if (replaced === null) counts.set(state, (counts.get(state) ?? 0) + 1);
      for (const [state, count] of counts) this.set({ state }, count);
    },
  });
  observeNodes(gauges, registry);
  observeEachGpu(gauges, registry, maxGpus);
}

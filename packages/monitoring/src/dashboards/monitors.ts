import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { lines, stat } from './panels.js';
import { NONE_IS_WELL } from './terms.js';

/** A kind of monitor, as Prometheus has it. */
export interface MonitorKind {
  /** Selects its job. */
  readonly job: string;
  /** Before each of its metrics. */
  readonly prefix: string;
  /** In place of values where none is scraped. */
  readonly none: string;
  /** Begins the names of its alerts. */
  readonly alerts: string;
}

/** Gives series of a monitor the name of its node. */
export function nodeOf({ job, prefix }: MonitorKind): string {
  return `on (job, instance) group_left (node) ${prefix}_info{${job}}`;
}

/** What every kind of monitor shows of its way to the engine. */
export function uplinkPanels(kind: MonitorKind): Record<'away' | 'found' | 'notSent' | 'waiting', Builder<Panel>> {
  const { job, prefix, none, alerts } = kind;
  return {
    away: stat({
      title: 'Monitors that do not reach the engine',
      description: `What they found waits on their disks. After five minutes ${alerts}MonitorDisconnected fires.`,
      unit: 'short',
      width: 6,
      queries: [{ expr: `sum(1 - ${prefix}_grpc_stream_active{${job}})` }],
      noValue: none,
      steps: NONE_IS_WELL,
    }),
    found: lines({
      title: 'Findings',
      description: 'Per hour, of all analysers before bounds of rate, by type and severity.',
      unit: 'short',
      width: 12,
      min: 0,
      bars: true,
      queries: [
        {
          expr: `sum by (type, severity) (increase(${prefix}_anomalies_total{${job}}[1h])) > 0`,
          legend: '{{type}} {{severity}}',
        },
      ],
      noValue: 'nothing was found within an hour',
    }),
    notSent: lines({
      title: 'Findings that were not sent',
      description:
        'Per hour, by reason. spool_full: lost. info is logged alone, repeated and too_many hold the bounds of rate, elsewhere is for another node, or its device is not known.',
      unit: 'short',
      width: 12,
      min: 0,
      bars: true,
      queries: [{ expr: `sum by (reason) (increase(${prefix}_not_sent_total{${job}}[1h]))`, legend: '{{reason}}' }],
      noValue: none,
    }),
    waiting: lines({
      title: 'Findings that wait on the nodes',
      description: 'Spools of the five nodes with most. Growing: that monitor does not reach the engine.',
      unit: 'bytes',
      width: 8,
      min: 0,
      queries: [
        { expr: `topk(5, max by (node) (${prefix}_spool_bytes{${job}} * ${nodeOf(kind)}))`, legend: '{{node}}' },
      ],
      noValue: none,
    }),
  };
}

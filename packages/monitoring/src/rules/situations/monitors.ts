import type { Situation } from './situation.js';

/** A kind of monitor: beside a training job, or an inference server. */
export interface MonitorKind {
  /** Begins the names of its alerts. */
  readonly alerts: string;
  /** As summaries name it. */
  readonly words: string;
  readonly prefix: string;
  /** Labels of the monitor on node rack-7, and of one on node rack-8. */
  readonly monitor: string;
  readonly other: string;
}

export function kindOf(alerts: 'Training' | 'Inference', port: number): MonitorKind {
  const word = alerts.toLowerCase();
  const at = (host: string): string => `job="sentinel-${word}-monitor",instance="${host}:${port}"`;
  const words = `${word} monitor`;
  return { alerts, words, prefix: `sentinel_${word}`, monitor: at('10.0.0.7'), other: at('10.0.0.8') };
}

/** Names of the nodes. */
export function infoOf({ prefix, monitor, other }: MonitorKind): Record<string, string> {
  return {
    [`${prefix}_info{${monitor},node="rack-7",version="1"}`]: '1x200',
    [`${prefix}_info{${other},node="rack-8",version="1"}`]: '1x200',
  };
}

/** Of a monitor with which nothing is wrong. */
export function healthyUplink(kind: MonitorKind): Record<string, string> {
  const { prefix, monitor } = kind;
  return {
    [`${prefix}_grpc_stream_active{${monitor}}`]: '1x180',
    [`${prefix}_not_sent_total{${monitor},reason="spool_full"}`]: '3x180',
    [`${prefix}_not_sent_total{${monitor},reason="repeated"}`]: '0+9x180',
    [`${prefix}_queue_dropped{${monitor}}`]: '5x90 0x90',
    [`${prefix}_refused_total{${monitor}}`]: '1x180',
    [`${prefix}_records_given_up_total{${monitor}}`]: '1x180',
    ...infoOf(kind),
  };
}

/** What every kind of monitor may meet on its way to the engine. @param refused the summary of the alert about what was refused */
export function uplinkSituations(kind: MonitorKind, refused: string): readonly Situation[] {
  const { alerts, words, prefix, monitor, other } = kind;
  const info = infoOf(kind);
  const labels = { node: 'rack-7' };
  const refusals = {
    alert: `${alerts}RecordsRefused`,
    quietAt: [49, 65],
    firesAt: 55,
    labels,
    severity: 'warning',
  } as const;
  return [
    {
      alert: `${alerts}MonitorDisconnected`,
      what: 'what one node found waits; a shorter absence before was nothing',
      series: {
        [`${prefix}_grpc_stream_active{${monitor}}`]: '1x9 0x2 1x18 0x100',
        [`${prefix}_grpc_stream_active{${other}}`]: '1x200',
        ...info,
      },
      quietAt: [11, 14, 33],
      firesAt: 40,
      labels,
      severity: 'high',
      summary: `The ${words} of node rack-7 does not reach the engine.`,
    },
    {
      alert: `${alerts}AnomaliesLost`,
      what: 'the spool is full; what is left out for other reasons is not lost',
      series: {
        [`${prefix}_not_sent_total{${monitor},reason="spool_full"}`]: '0x49 1x150',
        [`${prefix}_not_sent_total{${monitor},reason="repeated"}`]: '0+5x200',
        [`${prefix}_not_sent_total{${other},reason="spool_full"}`]: '0x200',
        ...info,
      },
      quietAt: [49, 65],
      firesAt: 55,
      labels,
      severity: 'high',
      summary: `The ${words} of node rack-7 dropped about 1 finding(s) within ten minutes, because its spool is full.`,
    },
    {
      ...refusals,
      what: 'a sender with a library of another release',
      series: {
        [`${prefix}_refused_total{${monitor}}`]: '0x49 1x150',
        [`${prefix}_records_given_up_total{${monitor}}`]: '0x200',
        ...info,
      },
      summary: refused,
    },
    {
      ...refusals,
      what: 'the engine refuses what is of a test build',
      series: {
        [`${prefix}_refused_total{${monitor}}`]: '0x200',
        [`${prefix}_records_given_up_total{${monitor}}`]: '0x49 1x150',
        ...info,
      },
      summary: refused,
    },
  ];
}

/** More is sent than analysed. @param dropped the metric of what senders dropped @param summary of the alert */
export function dropSituations(kind: MonitorKind, dropped: string, summary: string): readonly Situation[] {
  const { alerts, prefix, monitor } = kind;
  const alert = { alert: `${alerts}RecordsDropped`, labels: { node: 'rack-7' }, severity: 'warning', summary } as const;
  return [
    {
      ...alert,
      what: 'senders drop on and on; what they dropped while the analyser was away for a moment is nothing',
      series: {
        [`${dropped}{${monitor}}`]: '0x19 50x40 50+10x100',
        [`${prefix}_queue_dropped{${monitor}}`]: '0x200',
        ...infoOf(kind),
      },
      quietAt: [25, 29, 35, 65],
      firesAt: 75,
    },
    {
      ...alert,
      what: 'the queue of the analyser is full; its count begins anew when it is restarted',
      series: {
        [`${dropped}{${monitor}}`]: '0x200',
        [`${prefix}_queue_dropped{${monitor}}`]: '900x39 0x20 0+10x100',
        ...infoOf(kind),
      },
      quietAt: [39, 45, 55, 65],
      firesAt: 75,
    },
  ];
}

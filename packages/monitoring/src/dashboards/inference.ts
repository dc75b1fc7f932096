import { dashboard, UIDS } from './dashboard.js';
import { nodeOf, uplinkPanels } from './monitors.js';
import { lines, stat } from './panels.js';
import { NONE_IS_WELL } from './terms.js';

const MONITOR = 'job="sentinel-inference-monitor"';
const NO_MONITOR = 'no inference monitor is scraped';
const KIND = { job: MONITOR, prefix: 'sentinel_inference', none: NO_MONITOR, alerts: 'Inference' };
const UPLINK = uplinkPanels(KIND);

const NOW = [
  stat({
    title: 'Sidecars through which requests pass',
    description: 'Of all monitors that are scraped; those that only hear the library have none.',
    unit: 'short',
    width: 6,
    queries: [{ expr: `sum(sentinel_inference_front_serving{${MONITOR}})` }],
    noValue: NO_MONITOR,
  }),
  stat({
    title: 'Requests that are looked at',
    description:
      'Of those that senders saw within ten minutes. 0 while requests pass: sampling_rate is 0, or the doubts below say why.',
    unit: 'percentunit',
    width: 6,
    decimals: 2,
    queries: [
      {
        expr: `sum(rate(sentinel_inference_records_total{${MONITOR},kind="sample"}[10m])) / sum(rate(sentinel_inference_requests_total{${MONITOR}}[10m])) >= 0`,
      },
    ],
    noValue: 'no requests within ten minutes',
  }),
  UPLINK.away,
  stat({
    title: 'Servers that vary',
    description:
      'Had been shown to repeat themselves bit for bit, and did not in one of the newest 64 rounds. InferenceServerVaries fires.',
    unit: 'short',
    width: 6,
    queries: [{ expr: `count(sentinel_inference_contradictions{${MONITOR}} > 0) or vector(0)` }],
    noValue: NO_MONITOR,
    steps: NONE_IS_WELL,
  }),
];

const SEEN = [
  UPLINK.found,
  UPLINK.notSent,
  lines({
    title: 'Comparisons with other replicas',
    description:
      'Rounds per hour, by kind. Standing still: the log says why; skipped: the server did not answer, or comparisons had used up their share.',
    unit: 'short',
    width: 8,
    min: 0,
    queries: [
      { expr: `sum by (kind) (increase(sentinel_inference_rounds_total{${MONITOR}}[1h]))`, legend: '{{kind}}' },
      { expr: `sum(increase(sentinel_inference_rounds_skipped_total{${MONITOR}}[1h]))`, legend: 'skipped' },
    ],
    noValue: 'no replica is compared',
  }),
  lines({
    title: 'Answers of other replicas',
    description:
      'Per hour. away: check replicas.endpoints. not_comparable: another configuration or model. refused: tls or service token.',
    unit: 'short',
    width: 8,
    min: 0,
    queries: [
      {
        expr: `sum by (outcome) (increase(sentinel_inference_replicas_asked_total{${MONITOR}}[1h]))`,
        legend: '{{outcome}}',
      },
    ],
    noValue: 'no replica is compared',
  }),
  lines({
    title: 'Whether bits of a server count',
    description:
      'Servers by kind of question. 1: shown to repeat itself, what differs is hard evidence. 0: not yet. -1: it varies, what differs is soft.',
    unit: 'short',
    width: 8,
    min: -1,
    queries: [
      {
        expr: `min by (node, kind) (sentinel_inference_repeatable{${MONITOR}} * ${nodeOf(KIND)})`,
        legend: '{{node}} {{kind}}',
      },
    ],
    noValue: 'no replica is compared',
  }),
];

const WAY = [
  lines({
    title: 'Requests',
    description: 'Per second, as senders saw them; looked at: those whose samples were analysed.',
    unit: 'reqps',
    width: 8,
    min: 0,
    queries: [
      { expr: `sum(rate(sentinel_inference_requests_total{${MONITOR}}[$__rate_interval]))`, legend: 'all' },
      {
        expr: `sum(rate(sentinel_inference_records_total{${MONITOR},kind="sample"}[$__rate_interval]))`,
        legend: 'looked at',
      },
    ],
    noValue: NO_MONITOR,
  }),
  lines({
    title: 'Passed unsampled though drawn',
    description:
      'Per ten minutes, by reason: the front changes nothing where the client could see it. route and coding are no matter.',
    unit: 'short',
    width: 8,
    min: 0,
    queries: [
      {
        expr: `sum by (reason) (clamp_min(delta(sentinel_inference_front_doubts{${MONITOR}}[10m]), 0))`,
        legend: '{{reason}}',
      },
    ],
    noValue: NO_MONITOR,
  }),
  UPLINK.waiting,
  lines({
    title: 'Front: what went wrong',
    description:
      'Per ten minutes. server away: answers 502. refused: too many connections. restarts and failures: the front itself, see the log.',
    unit: 'short',
    width: 12,
    min: 0,
    queries: [
      { expr: changes('front_unavailable'), legend: 'server away' },
      { expr: changes('front_refused'), legend: 'refused' },
      { expr: changes('front_restarts'), legend: 'restarts' },
      { expr: changes('front_failures'), legend: 'failures' },
    ],
    noValue: NO_MONITOR,
  }),
  lines({
    title: 'Dropped and refused',
    description:
      'Per ten minutes, of all nodes. sender: the analyser was away or slow. queue: it was slow. unread: the library cannot read a result; the log of the server says why. refused: releases differ. given up: the engine refused it for good.',
    unit: 'short',
    width: 12,
    min: 0,
    queries: [
      { expr: `sum(increase(sentinel_inference_sender_dropped_total{${MONITOR}}[10m]))`, legend: 'sender' },
      { expr: changes('queue_dropped'), legend: 'queue' },
      { expr: `sum(increase(sentinel_inference_unread_total{${MONITOR}}[10m]))`, legend: 'unread' },
      { expr: `sum(increase(sentinel_inference_refused_total{${MONITOR}}[10m]))`, legend: 'refused' },
      { expr: `sum(increase(sentinel_inference_records_given_up_total{${MONITOR}}[10m]))`, legend: 'given up' },
    ],
    noValue: NO_MONITOR,
  }),
];

/** Within ten minutes, of a count since the start of the front or monitor. */
function changes(name: string): string {
  return `sum(clamp_min(delta(sentinel_inference_${name}{${MONITOR}}[10m]), 0))`;
}

export const INFERENCE = dashboard({
  uid: UIDS.inference,
  title: 'SENTINEL / Inference Monitors',
  description: 'What answers of inference servers show of their devices, and whether requests pass the sidecars.',
  from: 'now-24h',
  rows: [
    { title: 'Now', panels: NOW },
    { title: 'What was seen', panels: SEEN },
    { title: 'On the way', panels: WAY },
  ],
});

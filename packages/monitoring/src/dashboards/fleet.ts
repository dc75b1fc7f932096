import { dashboard, UIDS } from './dashboard.js';
import { lines, stat, table } from './panels.js';
import { AGENT, ENGINE, NO_AGENT, NO_ENGINE, NODE_OF, NONE_IS_WELL, quantile, STATES, TO_GPU } from './terms.js';

const gpus = (states: string): string => `sum(sentinel_gpus{${ENGINE},state=~"${states}"})`;

const NOW = [
  stat({
    title: 'GPUs in service',
    description: 'Devices that take jobs: HEALTHY and SUSPECT. Devices of nodes that are not connected count too.',
    unit: 'short',
    width: 3,
    queries: [{ expr: gpus('HEALTHY|SUSPECT') }],
    noValue: NO_ENGINE,
    steps: [
      [null, 'red'],
      [1, 'green'],
    ],
  }),
  stat({
    title: 'Suspect',
    description: 'In service, and looked at closely because something speaks against them.',
    unit: 'short',
    width: 3,
    queries: [{ expr: gpus('SUSPECT') }],
    noValue: NO_ENGINE,
    steps: [
      [null, 'green'],
      [1, 'yellow'],
    ],
  }),
  stat({
    title: 'Out of service',
    description: 'QUARANTINED, or in a deep test that may bring them back.',
    unit: 'short',
    width: 3,
    queries: [{ expr: gpus('QUARANTINED|DEEP_TEST') }],
    noValue: NO_ENGINE,
    steps: NONE_IS_WELL,
  }),
  stat({
    title: 'Condemned',
    description: 'Taken out for good by an operator, and still to be replaced.',
    unit: 'short',
    width: 3,
    queries: [{ expr: gpus('CONDEMNED') }],
    noValue: NO_ENGINE,
    steps: [
      [null, 'green'],
      [1, 'purple'],
    ],
  }),
  stat({
    title: 'Nodes away',
    description: 'Nodes with devices whose agent is not connected to any engine.',
    unit: 'short',
    width: 3,
    queries: [{ expr: `sum(sentinel_nodes{${ENGINE},connected="no"})` }],
    noValue: NO_ENGINE,
    steps: NONE_IS_WELL,
  }),
  stat({
    title: 'Incidents',
    description: 'More devices fail alike than defects explain. Any: `sentinel incidents list`.',
    unit: 'short',
    width: 3,
    queries: [{ expr: `max(sentinel_incidents{${ENGINE}})` }],
    noValue: NO_ENGINE,
    steps: NONE_IS_WELL,
  }),
  stat({
    title: 'Waiting for an operator',
    description: 'Actions that need a yes or no. Any: `sentinel quarantine pending`.',
    unit: 'short',
    width: 3,
    queries: [{ expr: `max(sentinel_approvals_pending{${ENGINE}})` }],
    noValue: NO_ENGINE,
    steps: [
      [null, 'green'],
      [1, 'orange'],
    ],
  }),
  stat({
    title: 'Wrong results, last hour',
    description: 'Share of all results of the fleet within an hour. Beyond 0.1 % think of what was rolled out last.',
    unit: 'percentunit',
    width: 3,
    decimals: 4,
    queries: [{ expr: 'sentinel:sdc:ratio_rate1h' }],
    noValue: NO_ENGINE,
    steps: [
      [null, 'green'],
      [1e-9, 'yellow'],
      [0.001, 'red'],
    ],
  }),
];

const WHAT_IS_WRONG = [
  table({
    title: 'Alerts that fire',
    description: 'Of the rules of deploy/prometheus/rules. The name leads to what to do.',
    unit: 'short',
    width: 8,
    queries: [{ expr: 'ALERTS{alertstate="firing"}' }],
    noValue: 'No alert fires.',
    columns: [
      ['alertname', 'Alert'],
      ['severity', 'Severity'],
      ['node', 'Node'],
      ['gpu', 'GPU'],
      ['instance', 'Service'],
    ],
    linked: {
      column: 'Alert',
      title: 'Runbook',
      url: `https://github.com/sentinel-sdc/sentinel/blob/main/docs/runbooks/\${__value.raw}.md`,
    },
  }),
  table({
    title: 'Devices that are not healthy',
    description: 'The id leads to the GPU Deep Dive. `sentinel gpus explain ID` says why.',
    unit: 'short',
    width: 8,
    queries: [
      {
        expr: `max by (gpu, node) (sentinel_gpu_state{${ENGINE}} * on (job, instance, gpu) group_left (node) sentinel_gpu_info) > 1`,
      },
    ],
    noValue: 'Every device is healthy.',
    names: STATES,
    columns: [
      ['gpu', 'GPU'],
      ['node', 'Node'],
      ['Value', 'State'],
    ],
    linked: { column: 'GPU', ...TO_GPU },
  }),
  table({
    title: 'Nodes whose agent is away',
    description: 'Nothing is tested there, or the results wait on the node. A hundred are named at most.',
    unit: 'short',
    width: 8,
    queries: [{ expr: `max by (node) (sentinel_node_disconnected{${ENGINE}})` }],
    noValue: 'Every node is connected.',
    columns: [['node', 'Node']],
  }),
];

const COURSE = [
  lines({
    title: 'GPUs by state',
    description: 'All devices of the fleet.',
    unit: 'short',
    width: 12,
    min: 0,
    stacked: true,
    queries: [{ expr: 'sentinel:gpus:sum', legend: '{{state}}' }],
    noValue: NO_ENGINE,
  }),
  lines({
    title: 'Quarantines and orders',
    description: 'Per hour. AUTOMATIC is the engine, the rest are orders of operators that were carried out.',
    unit: 'short',
    width: 12,
    min: 0,
    bars: true,
    queries: [{ expr: `sum by (action) (increase(sentinel_quarantine_total{${ENGINE}}[1h]))`, legend: '{{action}}' }],
    noValue: NO_ENGINE,
  }),
  lines({
    title: 'Executions by result',
    description: 'Per second, as committed by the engine. PASS should be nearly all; NOT_RUN is never taken for it.',
    unit: 'ops',
    width: 12,
    min: 0,
    stacked: true,
    queries: [{ expr: 'sum by (result) (sentinel:probe_results:rate5m)', legend: '{{result}}' }],
    noValue: 'nothing has run yet',
  }),
  lines({
    title: 'Executions by family',
    description: 'Per second. A family that falls to 0 is not tested any more.',
    unit: 'ops',
    width: 12,
    min: 0,
    queries: [{ expr: 'sum by (family) (sentinel:probe_results:rate5m)', legend: '{{family}}' }],
    noValue: 'nothing has run yet',
  }),
  lines({
    title: 'Wrong results',
    description: 'Per ten minutes, over the fleet.',
    unit: 'short',
    width: 8,
    min: 0,
    bars: true,
    queries: [{ expr: `sum(increase(sentinel_sdc_events_total{${ENGINE}}[10m]))`, legend: 'wrong results' }],
    noValue: NO_ENGINE,
  }),
  lines({
    title: 'From the first wrong result to the quarantine',
    description: 'Median and 95th percentile of automatic quarantines of the last day.',
    unit: 's',
    width: 8,
    min: 0,
    queries: [0.5, 0.95].map((q) => ({
      expr: `histogram_quantile(${q}, sum by (le) (increase(sentinel_detection_latency_seconds_bucket{${ENGINE}}[1d]))) >= 0`,
      legend: `${q * 100} %`,
    })),
    noValue: 'No automatic quarantine within a day.',
  }),
  lines({
    title: 'Loud faults, and devices that others outvoted',
    description:
      'Per hour. Xid, uncorrectable ECC, machine checks and lost GPUs; devices outvoted in a canary, or in a comparison of a job.',
    unit: 'short',
    width: 8,
    min: 0,
    bars: true,
    queries: [
      { expr: `sum(increase(sentinel_loud_faults_total{${ENGINE}}[1h]))`, legend: 'loud faults' },
      { expr: `sum(increase(sentinel_tmr_dissent_total{${ENGINE}}[1h]))`, legend: 'dissents' },
      {
        expr: `sum(increase(sentinel_job_comparisons_total{${ENGINE},outcome="counted"}[1h]))`,
        legend: 'lost in jobs',
      },
    ],
    noValue: NO_ENGINE,
  }),
];

const COVERAGE = [
  lines({
    title: 'SMs that ran in time',
    description: 'By family, of the node with fewest. Below 95 % for half an hour CoverageLow fires.',
    unit: 'percentunit',
    width: 8,
    min: 0,
    max: 1,
    queries: [{ expr: `min by (family) (sentinel_probe_coverage_in_time_ratio{${AGENT}})`, legend: '{{family}}' }],
    noValue: NO_AGENT,
  }),
  lines({
    title: 'Overhead',
    description:
      'Share of the busiest device that probes take, on the node with most, and by what pays, of which each may be another device. Above 3 % ProbeOverheadExceeded fires.',
    unit: 'percent',
    width: 8,
    min: 0,
    queries: [
      { expr: `max(sentinel_probe_overhead_all_pools_pct{${AGENT}})`, legend: 'all' },
      { expr: `max by (pool) (sentinel_probe_overhead_pct{${AGENT}})`, legend: '{{pool}}' },
    ],
    noValue: NO_AGENT,
  }),
  lines({
    title: 'Reports that wait on the nodes',
    description:
      'Spools of the five nodes with most. Growing: that node does not reach the engine, or the history is away.',
    unit: 'bytes',
    width: 8,
    min: 0,
    queries: [
      { expr: `topk(5, max by (node) (sentinel_agent_spool_bytes{${AGENT}} * ${NODE_OF}))`, legend: '{{node}}' },
    ],
    noValue: NO_AGENT,
  }),
  lines({
    title: 'Duration of a launch',
    description: 'Of 95 in 100 launches of the fleet, golden included, by family. Rising: machines are overcommitted.',
    unit: 's',
    width: 24,
    min: 0,
    queries: [{ expr: quantile(0.95, `sentinel_probe_duration_seconds{${AGENT}}`, 'family'), legend: '{{family}}' }],
    noValue: NO_AGENT,
  }),
];

export const FLEET = dashboard({
  uid: UIDS.fleet,
  title: 'SENTINEL / Fleet Health Overview',
  description:
    'How the fleet is: devices by state, what fails, what waits for an operator, and whether everything is tested.',
  from: 'now-24h',
  rows: [
    { title: 'Now', panels: NOW },
    { title: 'What is wrong now', panels: WHAT_IS_WRONG },
    { title: 'Course', panels: COURSE },
    { title: 'Coverage and cost', panels: COVERAGE },
  ],
});

import { dashboard, UIDS } from './dashboard.js';
import { lines, stat, table, timeline } from './panels.js';
import { AGENT, ENGINE, NODE_OF, quantile, STATES } from './terms.js';

const NO_SERIES = 'no series: see the title of the first row';
const GPU = `${ENGINE},gpu=~"$gpu"`;
const OF_GPU = (metric: string): string => `max by (gpu) (${metric}{${GPU}})`;
/** Of the node that the GPU is on: agents have no series of single devices by their ids. */
const ON_NODE = (series: string): string =>
  `((${series}) * ${NODE_OF}) and on (node) sentinel_gpu_info{${ENGINE},gpu=~"$gpu"}`;

const NOW = [
  stat({
    title: 'State',
    description: 'What the engine thinks of the device. `sentinel gpus explain ID` says why.',
    unit: 'short',
    width: 4,
    queries: [{ expr: OF_GPU('sentinel_gpu_state') }],
    noValue: NO_SERIES,
    names: STATES,
  }),
  stat({
    title: 'Reliability score',
    description: '0.990 without evidence, below 0.95 suspicious. Shown to people; decisions are made by odds.',
    unit: 'none',
    width: 4,
    decimals: 3,
    queries: [{ expr: OF_GPU('sentinel_gpu_reliability_score') }],
    noValue: NO_SERIES,
    steps: [
      [null, 'red'],
      [0.8, 'orange'],
      [0.95, 'green'],
    ],
  }),
  stat({
    title: 'Wrong results, ever',
    description: 'Of this device under its present identity. Hardware that replaces it begins anew.',
    unit: 'short',
    width: 4,
    queries: [{ expr: OF_GPU('sentinel_gpu_failures_total') }],
    noValue: NO_SERIES,
    steps: [
      [null, 'green'],
      [1, 'red'],
    ],
  }),
  stat({
    title: 'Executions per second',
    description: 'Of all families, over five minutes. 0: it is not tested, because it is paused, away or hung.',
    unit: 'ops',
    width: 4,
    decimals: 1,
    queries: [{ expr: `max by (gpu) (rate(sentinel_gpu_executions_total{${GPU}}[5m]))` }],
    noValue: NO_SERIES,
    steps: [
      [null, 'red'],
      [1e-6, 'green'],
    ],
  }),
  stat({
    title: 'Temperature',
    description: 'Newest reading. What is normal depends on the model.',
    unit: 'celsius',
    width: 4,
    queries: [{ expr: OF_GPU('sentinel_gpu_temperature_celsius') }],
    noValue: 'the device offers none',
    steps: [
      [null, 'green'],
      [80, 'orange'],
      [90, 'red'],
    ],
  }),
  stat({
    title: 'Power',
    description: 'Newest reading.',
    unit: 'watt',
    width: 4,
    queries: [{ expr: OF_GPU('sentinel_gpu_power_watts') }],
    noValue: 'the device offers none',
  }),
];

const HISTORY = [
  lines({
    title: 'Reliability score over time',
    description: 'Falls with each wrong result and recovers with clean executions.',
    unit: 'none',
    width: 12,
    min: 0,
    max: 1,
    queries: [{ expr: OF_GPU('sentinel_gpu_reliability_score'), legend: '{{gpu}}' }],
    noValue: NO_SERIES,
  }),
  timeline({
    title: 'State over time',
    description: 'When it was suspect, out of service, tested in depth, and back.',
    unit: 'short',
    width: 12,
    queries: [{ expr: OF_GPU('sentinel_gpu_state'), legend: '{{gpu}}' }],
    noValue: NO_SERIES,
    names: STATES,
  }),
  lines({
    title: 'Executions',
    description: 'Per second, of all families. A gap is time in which nothing was tested.',
    unit: 'ops',
    width: 12,
    min: 0,
    queries: [
      { expr: `max by (gpu) (rate(sentinel_gpu_executions_total{${GPU}}[$__rate_interval]))`, legend: '{{gpu}}' },
    ],
    noValue: NO_SERIES,
  }),
  lines({
    title: 'Anomalies',
    description:
      'Per ten minutes: wrong results of the device; loud faults, and probes that hung or died, on its node.',
    unit: 'short',
    width: 12,
    min: 0,
    bars: true,
    queries: [
      { expr: `max by (gpu) (increase(sentinel_gpu_failures_total{${GPU}}[10m]))`, legend: 'wrong results of {{gpu}}' },
      {
        expr: `sum by (node, kind) (${ON_NODE(`increase(sentinel_agent_loud_faults_total{${AGENT}}[10m])`)})`,
        legend: '{{kind}} on {{node}}',
      },
      {
        expr: `sum by (node, kind) (${ON_NODE(`increase(sentinel_agent_child_failures_total{${AGENT}}[10m])`)})`,
        legend: 'probe {{kind}} on {{node}}',
      },
    ],
    noValue: NO_SERIES,
  }),
  lines({
    title: 'Temperature over time',
    description: 'Beside the anomalies: defects that show when it is hot are the common kind.',
    unit: 'celsius',
    width: 12,
    queries: [{ expr: OF_GPU('sentinel_gpu_temperature_celsius'), legend: '{{gpu}}' }],
    noValue: 'the device offers none',
  }),
  lines({
    title: 'Power over time',
    description: 'Load of the device, by its own sensor.',
    unit: 'watt',
    width: 12,
    min: 0,
    queries: [{ expr: OF_GPU('sentinel_gpu_power_watts'), legend: '{{gpu}}' }],
    noValue: 'the device offers none',
  }),
];

const NODE = [
  lines({
    title: 'Results on its node',
    description: 'Per second, of all devices of the node, as its agent counts them. Needs a scraped agent.',
    unit: 'ops',
    width: 8,
    min: 0,
    stacked: true,
    queries: [
      {
        expr: `sum by (node, result) (${ON_NODE(`rate(sentinel_probe_results_total{${AGENT}}[$__rate_interval])`)})`,
        legend: '{{result}} {{node}}',
      },
    ],
    noValue: 'its agent is not scraped',
  }),
  lines({
    title: 'SMs of its node that ran in time',
    description: 'By family, of all devices of the node.',
    unit: 'percentunit',
    width: 8,
    min: 0,
    max: 1,
    queries: [
      {
        expr: `min by (node, family) (${ON_NODE(`sentinel_probe_coverage_in_time_ratio{${AGENT}}`)})`,
        legend: '{{family}} {{node}}',
      },
    ],
    noValue: 'its agent is not scraped',
  }),
  lines({
    title: 'Duration of a launch on all nodes',
    description: 'Of 95 in 100, by family: to compare with what is usual.',
    unit: 's',
    width: 8,
    min: 0,
    queries: [{ expr: quantile(0.95, `sentinel_probe_duration_seconds{${AGENT}}`, 'family'), legend: '{{family}}' }],
    noValue: 'no agent is scraped',
  }),
  table({
    title: 'Where it is',
    description: 'Node and model, as its agent says.',
    unit: 'short',
    width: 24,
    height: 4,
    queries: [{ expr: `max by (gpu, node, model) (sentinel_gpu_info{${GPU}})` }],
    noValue: NO_SERIES,
    columns: [
      ['gpu', 'GPU'],
      ['node', 'Node'],
      ['model', 'Model'],
    ],
  }),
];

export const GPU_DEEP_DIVE = dashboard({
  uid: UIDS.gpu,
  title: 'SENTINEL / GPU Deep Dive',
  description:
    'One device: state, score, executions, anomalies beside temperature and power, and its node. In fleets beyond metrics.per_gpu_series_max_gpus (2,000) only devices that are not healthy have series; `sentinel gpus show ID` has all of them.',
  from: 'now-24h',
  variables: [
    { name: 'node', label: 'Node', query: `label_values(sentinel_gpu_info{${ENGINE}}, node)`, several: true },
    {
      name: 'gpu',
      label: 'GPU',
      query: `label_values(sentinel_gpu_info{${ENGINE},node=~"$node"}, gpu)`,
      several: false,
    },
  ],
  rows: [
    { title: 'Now (in fleets beyond 2,000 devices only those that are not healthy have series)', panels: NOW },
    { title: 'History', panels: HISTORY },
    { title: 'Its node', panels: NODE },
  ],
});

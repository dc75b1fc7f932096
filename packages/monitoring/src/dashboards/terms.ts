/** Words, colours and parts of expressions that several dashboards use. */

import { UIDS } from './dashboard.js';
import type { Names, Step } from './panels.js';

export const ENGINE = 'job="sentinel-correlation-engine"';
export const LEDGER = 'job="sentinel-audit-ledger"';
export const AGENT = 'job="sentinel-probe-agent"';

/** Gives series of an agent the name of its node. */
export const NODE_OF = `on (job, instance) group_left (node) sentinel_agent_info{${AGENT}}`;

/** Red from the first on. */
export const NONE_IS_WELL: readonly Step[] = [
  [null, 'green'],
  [1, 'red'],
];
/** 0 is bad. */
export const ONE_IS_WELL: readonly Step[] = [
  [null, 'red'],
  [1, 'green'],
];

export const YES_NO: Names = {
  '0': { text: 'no', color: 'red' },
  '1': { text: 'yes', color: 'green' },
};

export const STATES: Names = {
  '1': { text: 'HEALTHY', color: 'green' },
  '2': { text: 'SUSPECT', color: 'yellow' },
  '3': { text: 'QUARANTINED', color: 'red' },
  '4': { text: 'DEEP_TEST', color: 'orange' },
  '5': { text: 'CONDEMNED', color: 'purple' },
};

export const NO_ENGINE = 'no engine answers';
export const NO_LEDGER = 'no ledger answers';
export const NO_AGENT = 'no agent is scraped';

/** Quantiles of a histogram; none where nothing was observed, in place of NaN. */
export function quantile(q: number, metric: string, by = '', over = '$__rate_interval'): string {
  const name = metric.replace(/\{.*/, '');
  const selector = metric.slice(name.length);
  return `histogram_quantile(${q}, sum by (le${by === '' ? '' : `, ${by}`}) (rate(${name}_bucket${selector}[${over}]))) >= 0`;
}

/** Link of a cell that holds a GPU. */
export const TO_GPU = { title: 'GPU Deep Dive', url: `/d/${UIDS.gpu}?var-gpu=\${__value.raw}` };

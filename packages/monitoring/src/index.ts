export { type CheckOptions, checkMonitoring } from './live/check.js';
export { type LoadedRule, PrometheusClient, type Series, type Target } from './live/prometheus.js';
export { type Quiet, WHILE_HEALTHY, WITHOUT_READERS, WITHOUT_REPLICAS } from './live/quiet.js';
export { PROMETHEUS_CONFIG, RULES_FOLDER, RUNBOOKS_FOLDER } from './paths.js';

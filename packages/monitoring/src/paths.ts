import { fileURLToPath } from 'node:url';

const fromRoot = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

export const PROMETHEUS_CONFIG = fromRoot('deploy/prometheus/prometheus.yml');
export const RULES_FOLDER = fromRoot('deploy/prometheus/rules');
export const RUNBOOKS_FOLDER = fromRoot('docs/runbooks');
export const MONITORING_PAGE = fromRoot('docs/monitoring.md');
export const DASHBOARDS_FOLDER = fromRoot('deploy/grafana/provisioning/dashboards');
export const DATASOURCES_FOLDER = fromRoot('deploy/grafana/provisioning/datasources');

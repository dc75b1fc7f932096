import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { ENGINE_PERFORMANCE } from './engine.js';
import { FLEET } from './fleet.js';
import { GPU_DEEP_DIVE } from './gpu.js';
import { INFERENCE } from './inference.js';
import { LEDGER_STATUS } from './ledger.js';
import { TRAINING } from './training.js';

/** By the file that Grafana is provisioned with. */
export const DASHBOARDS: Readonly<Record<string, Dashboard>> = {
  'fleet-health-overview.json': FLEET,
  'gpu-deep-dive.json': GPU_DEEP_DIVE,
  'correlation-engine-performance.json': ENGINE_PERFORMANCE,
  'audit-ledger-status.json': LEDGER_STATUS,
  'training-monitors.json': TRAINING,
  'inference-monitors.json': INFERENCE,
};

export function fileOf(made: Dashboard): string {
  return `${JSON.stringify(made, null, 2)}\n`;
}

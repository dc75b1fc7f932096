import { join } from 'node:path';

/** The repository's root: this file is tests/dist/harness/paths.js. */
export const ROOT = join(import.meta.dirname, '../../..');

export const BIN = {
  engine: join(ROOT, 'packages/correlation-engine/bin/sentinel-correlation-engine.mjs'),
  ledger: join(ROOT, 'packages/audit-ledger/bin/sentinel-audit-ledger.mjs'),
  agent: join(ROOT, 'packages/probe-agent/bin/sentinel-probe-agent.mjs'),
  inferenceMonitor: join(ROOT, 'packages/inference-monitor/bin/sentinel-inference-monitor.mjs'),
  trainingMonitor: join(ROOT, 'packages/training-monitor/bin/sentinel-training-monitor.mjs'),
  injector: join(ROOT, 'packages/sidecar-injector/bin/sentinel-sidecar-injector.mjs'),
  testAgent: join(ROOT, 'packages/probe-agent/bin/sentinel-probe-agent-test.mjs'),
} as const;

export const TRAINING_THRESHOLDS = join(ROOT, 'config/thresholds/training_thresholds.yaml');
export const INFERENCE_THRESHOLDS = join(ROOT, 'config/thresholds/inference_thresholds.yaml');
export const SCHEDULES = join(ROOT, 'config/probe_schedules');
export const INTEROP = join(ROOT, 'tests/interop');
/** Every unit each second. */
export const BUSY_SCHEDULE = join(ROOT, 'tests/fixtures/busy.yaml');

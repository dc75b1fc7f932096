import { join } from 'node:path';
import { MonitorProcess } from '@sentinel/monitor-kit/testing/monitor-process';

const PACKAGE = join(import.meta.dirname, '../..');

/** The real monitor in a folder of its own. */
export function inferenceMonitor(folder: string): MonitorProcess {
  return new MonitorProcess(folder, {
    bin: join(PACKAGE, 'bin', 'sentinel-inference-monitor.mjs'),
    section: 'inference_monitor',
    thresholds: join(PACKAGE, '../../config/thresholds/inference_thresholds.yaml'),
  });
}

import { join } from 'node:path';
import { MonitorProcess } from '@sentinel/monitor-kit/testing/monitor-process';

const PACKAGE = join(import.meta.dirname, '../..');

/** The real analyser in a folder of its own. */
export function trainingMonitor(folder: string): MonitorProcess {
  return new MonitorProcess(folder, {
    bin: join(PACKAGE, 'bin', 'sentinel-training-monitor.mjs'),
    section: 'training_monitor',
    thresholds: join(PACKAGE, '../../config/thresholds/training_thresholds.yaml'),
  });
}

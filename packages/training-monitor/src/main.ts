import '@sentinel/service-kit/small-young-space';

import { SettableThresholds } from '@sentinel/monitor-kit/thresholds';
import { ConfigError, loadConfigForMain } from '@sentinel/service-kit/config';
import { runService } from '@sentinel/service-kit/lifecycle';
import { createLogger } from '@sentinel/service-kit/logging';
import { buildMonitor, type Loaded } from './build.js';
import { thresholdsOf } from './settings.js';

const loaded = loadConfigForMain({
  section: 'training_monitor',
  argv: process.argv.slice(2),
  env: process.env,
  summary: 'compares what ranks of training jobs computed, and tells the engine whose answers differ',
});
if (loaded !== undefined) await main(loaded);

async function main(loaded: Loaded): Promise<void> {
  try {
    const thresholds = new SettableThresholds(thresholdsOf(loaded.config));
    const log = createLogger('training-monitor', loaded.logging);
    for (const warning of loaded.warnings) log.warn(warning);
    if (loaded.insecure) log.warn('--insecure: anomalies may travel in plaintext beyond this machine');
    await runService((fatal) => buildMonitor({ loaded, thresholds, log, fatal }), {
      log,
      readyFile: loaded.readyFile ?? '',
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}

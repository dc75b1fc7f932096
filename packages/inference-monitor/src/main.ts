import '@sentinel/service-kit/small-young-space';

import { SettableThresholds } from '@sentinel/monitor-kit/thresholds';
import { ConfigError, loadConfigForMain } from '@sentinel/service-kit/config';
import { runService } from '@sentinel/service-kit/lifecycle';
import { createLogger } from '@sentinel/service-kit/logging';
import { buildMonitor, type Loaded } from './build.js';
import { thresholdsOf } from './settings.js';

/** In a container requests in flight end first; beyond the time that they have. */
const DRAIN_GRACE_MS = 3_000;

const loaded = loadConfigForMain({
  section: 'inference_monitor',
  argv: process.argv.slice(2),
  env: process.env,
  summary: 'stands before an inference server, and tells the engine whose answers differ',
});
if (loaded !== undefined) await main(loaded);

async function main(loaded: Loaded): Promise<void> {
  try {
    const thresholds = new SettableThresholds(thresholdsOf(loaded.config));
    const log = createLogger('inference-monitor', loaded.logging);
    for (const warning of loaded.warnings) log.warn(warning);
    if (loaded.insecure) log.warn('--insecure: anomalies may travel in plaintext beyond this machine');
    const drainDeadlineMs = loaded.config.drain_s * 1000 + DRAIN_GRACE_MS;
    const options = { log, readyFile: loaded.readyFile ?? '', drainDeadlineMs };
    await runService((fatal) => buildMonitor({ loaded, thresholds, log, fatal }), options);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}

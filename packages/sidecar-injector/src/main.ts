import { ConfigError, loadConfigForMain } from '@sentinel/service-kit/config';
import { runService } from '@sentinel/service-kit/lifecycle';
import { createLogger } from '@sentinel/service-kit/logging';
import { buildInjector, type Loaded } from './build.js';

const loaded = loadConfigForMain({
  section: 'sidecar_injector',
  argv: process.argv.slice(2),
  env: process.env,
  summary: 'puts the inference monitor beside inference servers, as an admission webhook of Kubernetes',
});
if (loaded !== undefined) await main(loaded);

async function main(loaded: Loaded): Promise<void> {
  try {
    const log = createLogger('sidecar-injector', loaded.logging);
    for (const warning of loaded.warnings) log.warn(warning);
    if (loaded.insecure) log.warn('--insecure: reviews may travel in plaintext beyond this machine');
    await runService(() => buildInjector({ loaded, log }), { log, readyFile: loaded.readyFile ?? '' });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}

import { loadConfigForMain } from '@sentinel/service-kit/config';
import { runService } from '@sentinel/service-kit/lifecycle';
import { createLogger } from '@sentinel/service-kit/logging';
import { Engine } from './build.js';
import { MIGRATE_COMMANDS, MIGRATE_FLAGS, MIGRATE_NEEDS, runMigrate } from './migrate/command.js';
import { COMMANDS, FLAGS, NEEDS, runReplay } from './replay/command.js';

const loaded = loadConfigForMain({
  section: 'correlation_engine',
  argv: process.argv.slice(2),
  env: process.env,
  program: 'sentinel-correlation-engine',
  summary: 'Collects evidence from probe agents, decides about devices, and records every decision.',
  flags: { ...FLAGS, ...MIGRATE_FLAGS },
  commands: { ...COMMANDS, ...MIGRATE_COMMANDS },
  needs: { ...NEEDS, ...MIGRATE_NEEDS },
});

if (loaded?.command === 'replay') process.exitCode = await runReplay(loaded, process);
else if (loaded?.command === 'migrate') process.exitCode = await runMigrate(loaded, process);
else if (loaded !== undefined) {
  const log = createLogger('correlation-engine', loaded.logging);
  for (const warning of loaded.warnings) log.warn(warning);
  if (loaded.insecure) log.warn('plaintext beyond loopback is allowed (--insecure)');
  await runService((fatal) => new Engine({ loaded, log, fatal }), { log, readyFile: loaded.readyFile ?? '' });
}

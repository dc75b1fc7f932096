/** The program `sentinel-audit-ledger`. */
import '@sentinel/service-kit/small-young-space';

import { loadConfigForMain } from '@sentinel/service-kit/config';
import { EXIT } from '@sentinel/service-kit/errors';
import { runService } from '@sentinel/service-kit/lifecycle';
import { createLogger, type Logger } from '@sentinel/service-kit/logging';
import { reloadConfig } from '@sentinel/service-kit/reload';
import { buildLedgerService, buildReaderService } from './build.js';
import { COMMANDS, FLAGS, type LedgerProgram, NEEDS, runCommand } from './commands/index.js';
import { selection } from './storage/select-backend.js';

const program: LedgerProgram | undefined = loadConfigForMain({
  section: 'audit_ledger',
  argv: process.argv.slice(2),
  env: process.env,
  flags: FLAGS,
  commands: COMMANDS,
  needs: NEEDS,
  // keygen makes it.
  optionalSecretFiles: process.argv.includes('keygen') ? ['signing_key', 'attestation_signing_key'] : [],
});

if (program !== undefined) {
  if (program.command !== undefined) await run(program);
  else await serve(program);
}

/** `… | head`: whoever reads has enough, and the status is still the command's. An answer that is lost otherwise is none. */
async function run(given: LedgerProgram): Promise<void> {
  let isLost = false;
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE' || isLost) return;
    isLost = true;
    process.stderr.write(`the answer could not be written: ${message}\n`);
    if (process.exitCode === EXIT.ok) process.exitCode = EXIT.unavailable;
  });
  const status = await runCommand(given, process);
  process.exitCode = isLost && status === EXIT.ok ? EXIT.unavailable : status;
}

async function serve(started: LedgerProgram): Promise<void> {
  const { config, logging, flags, insecure, readyFile, warnings } = started;
  const log = createLogger('audit-ledger', logging);
  let running = started;
  for (const warning of warnings) log.warn(warning);
  sayBackend(started, log);
  const build = (fatal: (error: unknown) => void) =>
    (flags.mode === 'reader' ? buildReaderService : buildLedgerService)({
      config,
      insecure,
      acceptRollback: flags['accept-rollback'],
      newLog: flags['new-log'],
      log,
      fatal,
      reload: () => {
        running = reloadConfig(running, log);
        return running.config;
      },
    });
  await runService(build, { log, readyFile: readyFile ?? '' });
}

/** Which store, and where that was set. */
function sayBackend({ config, origin }: LedgerProgram, log: Logger): void {
  const { name, setting } = selection(config);
  log.info({ backend: name, setting: `audit_ledger.${setting}`, origin: origin(setting) }, 'store selected');
}

import { addonPath } from '@sentinel/native-probes';
import { ConfigError, type LoadedConfig } from '@sentinel/service-kit/config';
import { exitStatus, SentinelError } from '@sentinel/service-kit/errors';
import { runService } from '@sentinel/service-kit/lifecycle';
import { createLogger } from '@sentinel/service-kit/logging';
import { buildAgent } from './build.js';
import type { FLAGS } from './flags.js';
import { openTestbed, stopTestbed, type Testbed } from './identity/testbed.js';
import type { Answered } from './modes/answered.js';
import { benchmark } from './modes/benchmark.js';
import { listGpus } from './modes/list-gpus.js';
import { once } from './modes/once.js';
import { type Settings, settingsOf } from './settings.js';

export type Loaded = LoadedConfig<'probe_agent', typeof FLAGS>;

export interface Variant {
  readonly test: boolean;
  /** Faults that the test build imitates. */
  readonly injections: readonly string[];
}

/** Does what the command line asks for, then sets the exit status; as a daemon it ends the process itself. */
export async function command(loaded: Loaded, variant: Variant): Promise<void> {
  try {
    const settings = settingsOf(loaded);
    const mode = modeOf(loaded);
    const addonFile = addonPath({ test: variant.test });
    const options = { addonFile, injections: variant.injections, save: mode === undefined };
    const testbed = await openTestbed(options, settings);
    if (mode === undefined) return await serve(loaded, settings, testbed);
    try {
      const answer = await mode(testbed);
      process.stdout.write(answer.text);
      process.exitCode = answer.exitCode;
    } finally {
      await stopTestbed(testbed);
    }
  } catch (error) {
    process.stderr.write(`${error instanceof ConfigError ? error.message : SentinelError.from(error).sentence}\n`);
    process.exitCode = error instanceof ConfigError ? error.exitCode : exitStatus(SentinelError.from(error));
  }
}

/** What a command that is no daemon prints; undefined = run the daemon. */
function modeOf({ flags }: Loaded): ((testbed: Testbed) => Promise<Answered>) | undefined {
  if (flags['list-gpus']) return listGpus;
  if (flags.once) return once;
  if (flags.mode === 'benchmark') return (testbed) => benchmark(testbed, flags.iterations, flags.output);
  return undefined;
}

async function serve(loaded: Loaded, settings: Settings, testbed: Testbed): Promise<never> {
  const log = createLogger('probe-agent', loaded.logging);
  for (const warning of loaded.warnings) log.warn(warning);
  if (loaded.insecure) log.warn('--insecure: results may travel in plaintext beyond this machine');
  return runService((fatal) => buildAgent({ loaded, settings, testbed, log, fatal }), {
    log,
    readyFile: loaded.readyFile ?? '',
  });
}

import type { FlagSpecs } from './command-line.js';
import { type LoadedConfig, type LoadOptions, loadConfig } from './load.js';
import { Answer, ConfigError, UsageError } from './problems.js';
import type { SectionName } from './sections/index.js';

export interface Streams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/**
 * For a service's main: loads the configuration, or answers the command line itself. In the latter case the text is
 * written, `process.exitCode` is set (0 answered, 2 usage, 78 configuration) and the result is undefined.
 */
export function loadConfigForMain<S extends SectionName, F extends FlagSpecs = Record<never, never>>(
  options: LoadOptions<S, F>,
  streams: Streams = process,
): LoadedConfig<S, F> | undefined {
  try {
    return loadConfig(options);
  } catch (error) {
    if (error instanceof Answer) streams.stdout.write(error.text);
    else if (error instanceof ConfigError || error instanceof UsageError) streams.stderr.write(`${error.message}\n`);
    else throw error;
    process.exitCode = error.exitCode;
    return undefined;
  }
}

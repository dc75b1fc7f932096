import type { FlagSpecs } from './config/command-line.js';
import type { LoadedConfig, SectionName } from './config/index.js';
import type { Logger } from './logging.js';

/**
 * SIGHUP: reads the configuration again, sets the log's level, and says what changed and what waits for a restart.
 * @param accept reads and takes over what the new configuration names, such as a file of limits; what it throws refuses all of it
 * @returns what the service runs with from now on
 * @throws ConfigError, or what `accept` does; what runs stays
 */
export function reloadConfig<S extends SectionName, F extends FlagSpecs>(
  running: LoadedConfig<S, F>,
  log: Logger,
  accept: (loaded: LoadedConfig<S, F>) => void = () => {},
): LoadedConfig<S, F> {
  const { loaded, reloaded, needRestart } = running.reload();
  accept(loaded);
  if (loaded.logging.level !== running.logging.level) log.level = loaded.logging.level;
  for (const warning of loaded.warnings) log.warn(warning);
  for (const change of reloaded) log.info(change, 'setting changed');
  for (const change of needRestart) log.warn(change, 'this setting changes with the next restart');
  log.info('configuration reloaded');
  return loaded;
}

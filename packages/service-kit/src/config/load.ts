import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { VERSION } from '../version.js';
import type { Assignment } from './assignments.js';
import {
  type CommandLine,
  type CommandSpecs,
  type FlagSpecs,
  type FlagValues,
  helpText,
  parseCommandLine,
} from './command-line.js';
import { readConfigFile } from './file-source.js';
import { printSettings, showValue } from './print.js';
import { Answer, type ConfigProblem, describeProblem, type Origin, ProblemList, UsageError } from './problems.js';
import { assemble, type Setting, type Settings, settle } from './resolve.js';
import type { Environment } from './schema.js';
import { checkReadableFiles, readSecretFiles } from './secret-files.js';
import { type LoggingConfig, type SectionName, type SectionValues, sectionNames, sectionOf } from './sections/index.js';
import { readEnvironment, readOverrides } from './text-sources.js';

export const DEFAULT_CONFIG_FILE = '/etc/sentinel/config/sentinel.yaml';

export interface LoadOptions<S extends SectionName, F extends FlagSpecs = Record<never, never>> {
  readonly section: S;
  /** Arguments after the program's name. */
  readonly argv: readonly string[];
  readonly env: Environment;
  /** Flags of this program besides the common ones. */
  readonly flags?: F;
  /** Subcommands of this program. */
  readonly commands?: CommandSpecs;
  /** Name in help and version; `sentinel-` and the section by default. */
  readonly program?: string;
  readonly summary?: string;
  readonly version?: string;
  /** Folder that `--config` is relative to; the process's own by default. */
  readonly cwd?: string;
  /** Secrets (keys relative to the section) whose file need not exist, for a command that makes it. */
  readonly optionalSecretFiles?: readonly string[];
  /**
   * Subcommands that need only some keys, and which (relative to the section; a group stands for all in it). Files that other keys name
   * are not opened, nor is it checked whether the section's values go together.
   */
  readonly needs?: Readonly<Record<string, readonly string[]>>;
}

export interface LoadedConfig<S extends SectionName, F extends FlagSpecs = Record<never, never>> {
  /** The section's values: checked, secrets read, paths absolute, frozen. */
  readonly config: SectionValues<S>;
  readonly logging: LoggingConfig;
  readonly flags: FlagValues<F>;
  readonly command: string | undefined;
  /** What follows the command. */
  readonly positionals: readonly string[];
  /** Absolute path for the ready file, if one is wanted. */
  readonly readyFile: string | undefined;
  /** `--insecure`: plaintext beyond loopback is allowed; say so in the log. */
  readonly insecure: boolean;
  /** Files that were read, in order. */
  readonly files: readonly string[];
  /** Sentences for the log: nothing here stops the service. */
  readonly warnings: readonly string[];
  /** Where the value of a key (relative to the section) was set. */
  origin(key: string): Origin;
  /** What `--print-config` prints: every value with its origin, secrets masked. */
  print(): string;
  /** Reads everything again, as SIGHUP asks. @throws ConfigError; the running configuration then stays. */
  reload(): Reload<S, F>;
}

export interface Reload<S extends SectionName, F extends FlagSpecs = Record<never, never>> {
  /** The new configuration: changes that need a restart are not in it. */
  readonly loaded: LoadedConfig<S, F>;
  /** Keys, with their section, whose new value is in `loaded`. */
  readonly reloaded: readonly Change[];
  /** Keys whose new value waits for a restart. */
  readonly needRestart: readonly Change[];
}

/** A changed key with its values as they may be logged. */
export interface Change {
  readonly key: string;
  readonly from: string;
  readonly to: string;
}

/**
 * Reads the configuration of one service: defaults, the file, its overlay, the environment, `--override`; the later wins.
 *
 * @throws ConfigError (exit code 78) listing everything that is wrong
 * @throws UsageError (exit code 2) for a wrong command line
 * @throws Answer (exit code 0) if the command line asks for help, version or the effective configuration
 */
export function loadConfig<S extends SectionName, F extends FlagSpecs = Record<never, never>>(
  options: LoadOptions<S, F>,
): LoadedConfig<S, F> {
  const commandLine = parseCommandLine(options.argv, options.flags ?? {}, options.commands ?? {});
  if (commandLine.help) throw new Answer(helpText(textsOf(options), options.flags ?? {}, options.commands ?? {}));
  if (commandLine.version) throw new Answer(`${textsOf(options).program} ${options.version ?? VERSION}\n`);
  const state = read(options, commandLine);
  if (commandLine.printConfig) throw new Answer(printState(options.section, state));
  return present(options, commandLine, state);
}

/** Everything that one reading of all sources gave. */
interface State {
  readonly files: readonly string[];
  readonly own: Settings;
  readonly logging: Settings;
  readonly warnings: readonly ConfigProblem[];
}

function read<S extends SectionName, F extends FlagSpecs>(options: LoadOptions<S, F>, commandLine: CommandLine): State {
  const { section, env, cwd = process.cwd() } = options;
  const problems = new ProblemList();
  const files = configFiles(commandLine, env, cwd, problems);
  const layers: Assignment[][] = [
    ...files.map((file) => readConfigFile(file, cwd, section, problems)),
    readEnvironment(env, section, problems),
    readOverrides(commandLine.overrides, section, problems),
  ];
  const context = { env, baseFolder: dirname(resolve(cwd, files[0] ?? DEFAULT_CONFIG_FILE)) };
  const settled = new Map(
    sectionNames.map((name) => [name, settle(name, section, layers, context, problems)] as const),
  );
  const own = settled.get(section) ?? new Map<string, Setting>();
  const logging = settled.get('logging') ?? new Map<string, Setting>();
  // What a file would have set is unknown: that the defaults do not fit this machine says nothing.
  if (problems.errors.some(isOfWholeFile)) problems.throwIfAny();
  if (commandLine.printConfig) {
    // Shows what is effective also on a machine that lacks the files: neither secrets nor certificates are opened.
    problems.throwIfAny();
    return { files, own, logging, warnings: problems.warnings };
  }
  const needed = commandLine.command === undefined ? undefined : options.needs?.[commandLine.command];
  const opened = needed === undefined ? own : settingsOf(own, needed);
  const filled = new Map([...own, ...readSecretFiles(section, opened, options.optionalSecretFiles ?? [], problems)]);
  checkReadableFiles(section, needed === undefined ? filled : settingsOf(filled, needed), problems);
  // A command opens no port.
  const insecure = commandLine.insecure || commandLine.command !== undefined;
  if (problems.errors.length === 0 && needed === undefined) checkTogether(section, filled, insecure, problems);
  warnAboutInertKeys(section, filled, problems);
  problems.throwIfAny();
  return { files, own: filled, logging, warnings: problems.warnings };
}

/** A file that is missing, unreadable or no YAML. */
function isOfWholeFile({ key, origin }: ConfigProblem): boolean {
  return key === undefined && (origin === undefined || origin.kind === 'file');
}

/** Those of some keys and groups. */
function settingsOf(settings: Settings, names: readonly string[]): Settings {
  const isNamed = (key: string): boolean => names.some((name) => key === name || key.startsWith(`${name}.`));
  return new Map([...settings].filter(([key]) => isNamed(key)));
}

const ENVIRONMENT_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** The base file and, if an environment is named, `sentinel.<environment>.yaml` beside it. */
function configFiles(commandLine: CommandLine, env: Environment, cwd: string, problems: ProblemList): string[] {
  const base = commandLine.config ?? DEFAULT_CONFIG_FILE;
  const environment = commandLine.environment ?? env['SENTINEL_ENVIRONMENT'] ?? '';
  if (environment === '') return [base];
  if (!ENVIRONMENT_NAME.test(environment)) {
    throw new UsageError('the environment must be a name of letters, digits, "_" or "-"');
  }
  const overlay = join(dirname(base), `sentinel.${environment}.yaml`);
  if (existsSync(resolve(cwd, overlay))) return [base, overlay];
  const from = commandLine.environment === undefined ? 'SENTINEL_ENVIRONMENT' : '--environment';
  problems.add('error', { reason: `${overlay}: not found, but ${from} is ${environment}` });
  return [base];
}

function checkTogether(section: SectionName, settings: Settings, insecure: boolean, problems: ProblemList): void {
  const { check, children } = sectionOf(section);
  const report = (key: string, reason: string): void => {
    const origin = settings.get(key)?.origin;
    problems.add('error', { ...(origin === undefined ? {} : { origin }), key: `${section}.${key}`, reason });
  };
  check?.(assemble(children, settings), report, { insecure });
}

/** A key that was set to something else than its default while nothing acts on it must not be believed to act. */
function warnAboutInertKeys(section: SectionName, settings: Settings, problems: ProblemList): void {
  for (const { key, leaf, value, origin } of settings.values()) {
    if (!leaf.inert || origin.kind === 'default' || isDeepStrictEqual(value, leaf.default)) continue;
    problems.add('warning', {
      origin,
      key: `${section}.${key}`,
      reason: 'is checked, but this version does not act on it',
    });
  }
}

function present<S extends SectionName, F extends FlagSpecs>(
  options: LoadOptions<S, F>,
  commandLine: CommandLine,
  state: State,
): LoadedConfig<S, F> {
  const { section, cwd = process.cwd() } = options;
  const { readyFile } = commandLine;
  return Object.freeze({
    config: assemble(sectionOf(section).children, state.own) as SectionValues<S>,
    logging: assemble(sectionOf('logging').children, state.logging) as LoggingConfig,
    flags: Object.freeze(commandLine.flags) as FlagValues<F>,
    command: commandLine.command,
    positionals: commandLine.positionals,
    readyFile: readyFile === undefined ? undefined : resolve(cwd, readyFile),
    insecure: commandLine.insecure,
    files: state.files,
    warnings: state.warnings.map(describeProblem),
    origin: (key: string): Origin => state.own.get(key)?.origin ?? { kind: 'default' },
    print: () => printState(section, state),
    reload: () => reload(options, commandLine, state),
  });
}

function reload<S extends SectionName, F extends FlagSpecs>(
  options: LoadOptions<S, F>,
  commandLine: CommandLine,
  running: State,
): Reload<S, F> {
  const next = read(options, commandLine);
  const own = mergeReloadable(options.section, running.own, next.own);
  const logging = mergeReloadable('logging', running.logging, next.logging);
  const state: State = { ...next, own: own.settings, logging: logging.settings };
  return {
    loaded: present(options, commandLine, state),
    reloaded: [...own.reloaded, ...logging.reloaded],
    needRestart: [...own.needRestart, ...logging.needRestart],
  };
}

function mergeReloadable(section: SectionName, running: Settings, next: Settings) {
  const settings = new Map<string, Setting>();
  const reloaded: Change[] = [];
  const needRestart: Change[] = [];
  for (const after of next.values()) {
    const before = running.get(after.key) ?? after;
    const changed = !isDeepStrictEqual(before.value, after.value);
    const change = { key: `${section}.${after.key}`, from: showValue(before), to: showValue(after) };
    if (changed) (after.leaf.reloadable ? reloaded : needRestart).push(change);
    settings.set(after.key, changed && !after.leaf.reloadable ? before : after);
  }
  return { settings, reloaded, needRestart };
}

function printState(section: SectionName, state: State): string {
  const parts = [[section, state.own] as const, ['logging', state.logging] as const];
  return `# read: ${state.files.join(', ')}\n${printSettings(section === 'logging' ? parts.slice(1) : parts)}`;
}

function textsOf(options: { readonly section: SectionName; readonly program?: string; readonly summary?: string }) {
  return {
    program: options.program ?? `sentinel-${options.section.replaceAll('_', '-')}`,
    summary: options.summary ?? sectionOf(options.section).doc,
  };
}

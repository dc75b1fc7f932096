import { parseArgs } from 'node:util';
import { nearest } from './nearest.js';
import { UsageError } from './problems.js';

/** A flag that one service has besides the common ones. */
export type FlagSpec =
  | { readonly type: 'boolean'; readonly help: string }
  | { readonly type: 'string'; readonly help: string; readonly value?: string; readonly choices?: readonly string[] }
  | {
      readonly type: 'integer';
      readonly help: string;
      readonly value?: string;
      readonly min?: number;
      readonly max?: number;
    };

export type FlagSpecs = Readonly<Record<string, FlagSpec>>;

/** Values of the service's own flags, by the name as written; undefined where a flag was not given. */
export type FlagValues<F extends FlagSpecs> = {
  readonly [K in keyof F]: F[K] extends { type: 'boolean' }
    ? boolean
    : F[K] extends { type: 'integer' }
      ? number | undefined
      : F[K] extends { choices: readonly (infer C)[] }
        ? C | undefined
        : string | undefined;
};

/** Subcommands by name, with their help line. */
export type CommandSpecs = Readonly<Record<string, string>>;

export interface CommandLine {
  readonly config: string | undefined;
  readonly environment: string | undefined;
  readonly overrides: readonly string[];
  readonly printConfig: boolean;
  readonly readyFile: string | undefined;
  readonly insecure: boolean;
  readonly help: boolean;
  readonly version: boolean;
  readonly flags: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly command: string | undefined;
  readonly positionals: readonly string[];
}

const COMMON = {
  config: { type: 'string', value: 'FILE', help: 'configuration file [/etc/sentinel/config/sentinel.yaml]' },
  environment: { type: 'string', value: 'NAME', help: 'adds sentinel.NAME.yaml beside it [$SENTINEL_ENVIRONMENT]' },
  override: { type: 'string', value: 'KEY=VALUE', help: "sets a key of this service's section; repeatable" },
  'print-config': { type: 'boolean', help: 'prints every effective value with its origin, and exits' },
  'ready-file': { type: 'string', value: 'PATH', help: 'writes pid and addresses there once it serves' },
  insecure: { type: 'boolean', help: 'allows plaintext beyond loopback (development only)' },
  help: { type: 'boolean', help: 'prints this text, and exits' },
  version: { type: 'boolean', help: 'prints the version, and exits' },
} as const satisfies FlagSpecs;

/** Reads a command line strictly. @throws UsageError naming the nearest valid flag */
export function parseCommandLine(argv: readonly string[], own: FlagSpecs, commands: CommandSpecs): CommandLine {
  const specs: FlagSpecs = { ...COMMON, ...own };
  const given = readTokens(argv, specs);
  const one = (name: string): string | undefined => given.values.get(name)?.at(-1);
  const [first, ...rest] = given.positionals;
  const command = checkCommand(first, commands);
  return {
    config: one('config'),
    environment: one('environment'),
    overrides: given.values.get('override') ?? [],
    printConfig: given.values.has('print-config'),
    readyFile: one('ready-file'),
    insecure: given.values.has('insecure'),
    help: given.values.has('help'),
    version: given.values.has('version'),
    flags: Object.fromEntries(Object.entries(own).map(([name, spec]) => [name, typedFlag(name, spec, given.values)])),
    command,
    positionals: rest,
  };
}

function readTokens(argv: readonly string[], specs: FlagSpecs) {
  const options = Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [
      name,
      { type: spec.type === 'boolean' ? ('boolean' as const) : ('string' as const), multiple: true as const },
    ]),
  );
  const { tokens } = parseArgs({
    args: argv.map((argument) => (argument === '-h' ? '--help' : argument)),
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values = new Map<string, string[]>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const spec = Object.hasOwn(specs, token.name) ? specs[token.name] : undefined;
    if (spec === undefined) throw unknownFlag(token.rawName, Object.keys(specs));
    values.set(token.name, [...(values.get(token.name) ?? []), flagText(token, spec)]);
  }
  return { values, positionals };
}

function unknownFlag(rawName: string, names: readonly string[]): UsageError {
  const suggestion = nearest(rawName.replace(/^-+/, ''), names);
  const hint = suggestion === undefined ? 'see --help' : `did you mean --${suggestion}?`;
  return new UsageError(`unknown flag ${rawName}; ${hint}`);
}

function flagText(
  { name, value, inlineValue }: { name: string; value: string | undefined; inlineValue: boolean | undefined },
  spec: FlagSpec,
): string {
  if (spec.type === 'boolean') {
    if (value !== undefined) throw new UsageError(`--${name} takes no value`);
    return '';
  }
  // A flag that follows at once means that the value was forgotten, unless it was joined by "=".
  const forgotten = value === undefined || (inlineValue === false && value.startsWith('-'));
  if (forgotten) throw new UsageError(`--${name} needs a value`);
  return value;
}

function typedFlag(name: string, spec: FlagSpec, values: ReadonlyMap<string, string[]>) {
  const text = values.get(name)?.at(-1);
  if (spec.type === 'boolean') return text !== undefined;
  if (text === undefined) return undefined;
  return spec.type === 'integer' ? integerFlag(name, spec, text) : choiceFlag(name, spec.choices, text);
}

function choiceFlag(name: string, choices: readonly string[] | undefined, text: string): string {
  if (choices === undefined || choices.includes(text)) return text;
  throw new UsageError(`--${name} must be one of ${choices.join(', ')}`);
}

function integerFlag(name: string, spec: { readonly min?: number; readonly max?: number }, text: string): number {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = spec;
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw new UsageError(`--${name} must be a whole number from ${min} to ${max}`);
}

function checkCommand(first: string | undefined, commands: CommandSpecs): string | undefined {
  if (first === undefined || Object.hasOwn(commands, first)) return first;
  const suggestion = nearest(first, Object.keys(commands));
  const hint = suggestion === undefined ? 'see --help' : `did you mean ${suggestion}?`;
  throw new UsageError(`unexpected argument ${JSON.stringify(first)}; ${hint}`);
}

export interface HelpTexts {
  readonly program: string;
  readonly summary: string;
}

export function helpText(texts: HelpTexts, own: FlagSpecs, commands: CommandSpecs): string {
  const names = Object.keys(commands);
  const usage = `usage: ${texts.program}${names.length > 0 ? ' [COMMAND]' : ''} [--config FILE] [FLAGS]`;
  const commandLines = Object.entries(commands).map(([name, help]) => [`  ${name}`, help] as const);
  const flagLines = Object.entries({ ...own, ...COMMON } satisfies FlagSpecs).map(flagLine);
  const width = Math.max(...[...commandLines, ...flagLines].map(([left]) => left.length)) + 2;
  const column = ([left, right]: readonly [string, string]): string => `${left.padEnd(width)}${right}`;
  const parts = [texts.summary, '', usage, ''];
  if (names.length > 0) parts.push('commands:', ...commandLines.map(column), '');
  return [...parts, 'flags:', ...flagLines.map(column), ''].join('\n');
}

function flagLine([name, spec]: [string, FlagSpec]): readonly [string, string] {
  if (spec.type === 'boolean') return [`  --${name}`, spec.help];
  const choices = spec.type === 'string' ? spec.choices?.join('|') : undefined;
  return [`  --${name} ${choices ?? spec.value ?? (spec.type === 'integer' ? 'N' : 'TEXT')}`, spec.help];
}

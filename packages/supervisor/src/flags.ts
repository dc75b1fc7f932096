import { parseArgs } from 'node:util';
import { SECTIONS, type ServiceName } from './service-names.js';

/** What `npm start` was asked for. */
export interface Flags {
  /** Data folder as given; undefined = that of the clone. */
  readonly data: string | undefined;
  /** Faults for the agent's test build; undefined = the product's agent. */
  readonly inject: string | undefined;
  /** Takes free ports in place of the documented ones. */
  readonly freePorts: boolean;
  readonly overrides: Readonly<Record<ServiceName, readonly string[]>>;
  readonly help: boolean;
}

export const HELP = `Runs SENTINEL on this machine: ledger, engine and probe agent, with embedded stores, testing this machine's CPUs.

usage: npm start -- [FLAGS]

flags:
  --data DIR               where everything is kept [.sentinel]
  --inject SPEC            runs the agent's test build with a faulty CPU, e.g. core=1,family=fma32,rate=0.01, or a
                           faulty GPU, e.g. gpu=0,sm=1,family=fma32,rate=0.01; ";" joins several
  --override SECTION.KEY=VALUE
                           sets a configuration key, e.g. correlation_engine.mode=observe; repeatable
  --free-ports             takes free ports in place of the documented ones; run/endpoints.json says which
  --help                   prints this text, and exits
`;

/** The command line was wrong: exit status 2. */
export class FlagError extends Error {}

/** @throws FlagError with one sentence */
export function parseFlags(argv: readonly string[]): Flags {
  const { values } = parse(argv);
  for (const name of ['data', 'inject'] as const) {
    if (values[name] === '') throw new FlagError(`--${name} needs a value; see npm start -- --help`);
  }
  return {
    data: values.data,
    inject: values.inject,
    freePorts: values['free-ports'],
    overrides: bySection(values.override),
    help: values.help,
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      strict: true,
      allowPositionals: false,
      options: {
        data: { type: 'string' },
        inject: { type: 'string' },
        override: { type: 'string', multiple: true, default: [] },
        'free-ports': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    const [sentence] = (error as Error).message.split('. ');
    throw new FlagError(`${sentence}; see npm start -- --help`);
  }
}

/** `correlation_engine.mode=observe` becomes the engine's `mode=observe`. */
function bySection(overrides: readonly string[]): Record<ServiceName, string[]> {
  const sorted: Record<ServiceName, string[]> = { ledger: [], engine: [], agent: [] };
  for (const override of overrides) {
    const found = Object.entries(SECTIONS).find(([, section]) => override.startsWith(`${section}.`));
    if (found === undefined) {
      throw new FlagError(`--override ${override} must begin with ${Object.values(SECTIONS).join('., ')}.`);
    }
    const [service, section] = found as [ServiceName, string];
    sorted[service].push(override.slice(section.length + 1));
  }
  return sorted;
}

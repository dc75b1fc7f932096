import type {
  CommandSpecs,
  CorrelationEngineConfig,
  FlagSpecs,
  LoadedConfig,
  Streams,
} from '@sentinel/service-kit/config';
import { EXIT, exitStatus, SentinelError } from '@sentinel/service-kit/errors';
import { type SchemaOwner, stepStands } from '@sentinel/service-kit/schema-owner';
import { historySchema } from './history.js';
import { stateSchema } from './state.js';

export const MIGRATE_FLAGS = {
  state: { type: 'boolean', help: 'migrate: the tables of state and decisions in PostgreSQL alone' },
  history: { type: 'boolean', help: 'migrate: the tables of the history in a cluster alone' },
  to: { type: 'string', value: 'STEP', help: 'migrate: up to this step, or down to it; down --to none takes all back' },
  yes: { type: 'boolean', help: 'migrate down: really; what the steps hold is lost' },
} as const satisfies FlagSpecs;

export const MIGRATE_COMMANDS = {
  migrate:
    'up, down or status of the schemas, which an engine also brings up to date when it starts: status ends with 1 where a step is missing; down, which needs --yes and no engine that runs, removes what the steps hold',
} as const satisfies CommandSpecs;

/** The stores alone are asked. */
export const MIGRATE_NEEDS = { migrate: ['database', 'history', 'scylla'] } as const;

const ACTIONS = ['up', 'down', 'status'] as const;
type Action = (typeof ACTIONS)[number];

/** Stores by the flag that selects them. Opening one with `make` makes the place for its tables. */
const OWNERS = {
  state: stateSchema,
  history: historySchema,
} as const satisfies Record<string, (config: CorrelationEngineConfig, make: boolean) => Promise<SchemaOwner | null>>;
type OwnerName = keyof typeof OWNERS;

type Program = Pick<LoadedConfig<'correlation_engine', typeof MIGRATE_FLAGS>, 'config' | 'flags' | 'positionals'>;

/** @returns the exit status */
export async function runMigrate(program: Program, streams: Streams): Promise<number> {
  try {
    const action = actionOf(program.positionals);
    const names = selected(program, action);
    let complete = true;
    for (const name of names) complete = (await migrate(name, action, program, streams)) && complete;
    return complete ? EXIT.ok : EXIT.negative;
  } catch (thrown) {
    const error = SentinelError.from(thrown);
    streams.stderr.write(`${error.sentence}\n`);
    return error.field === USAGE ? EXIT.usage : exitStatus(error);
  }
}

/** @returns whether no step is missing, where that was asked */
async function migrate(name: OwnerName, action: Action, program: Program, streams: Streams): Promise<boolean> {
  const say = (text: string): void => void streams.stdout.write(`${name}: ${text}\n`);
  const owner = await OWNERS[name](program.config, action === 'up');
  if (owner === null) {
    say('segment files, which have no schema');
    return true;
  }
  await using opened = owner;
  if (action === 'status') {
    const steps = await opened.status();
    for (const step of steps) say(`${step.name} ${stepStands(step)}`);
    return steps.every(({ done }) => done);
  }
  const steps = await opened[action](program.flags.to);
  for (const step of steps) say(`${step} ${action === 'up' ? 'taken' : 'taken back'}`);
  if (steps.length === 0) say('nothing to do');
  return true;
}

const USAGE = 'arguments';

function actionOf([action, ...rest]: readonly string[]): Action {
  const found = ACTIONS.find((each) => each === action);
  if (found !== undefined && rest.length === 0) return found;
  throw usage(`migrate needs one of ${ACTIONS.join(', ')}`, 'For example: migrate status');
}

/** All of them, except that what is taken back is named. */
function selected({ flags }: Program, action: Action): OwnerName[] {
  const all = Object.keys(OWNERS) as OwnerName[];
  const named = all.filter((name) => flags[name]);
  if (action === 'down' && named.length > 0 && !flags.yes)
    throw usage(
      `what the tables of the ${named.join(' and the ')} hold would be lost`,
      'Say --yes where that is meant.',
    );
  if (named.length > 0) return named;
  if (action === 'down' || flags.to !== undefined)
    throw usage(`say whose steps are meant: --${all.join(' or --')}`, 'Steps that are taken back lose what they hold.');
  return all;
}

function usage(message: string, hint: string): SentinelError {
  return new SentinelError({ code: 'INVALID_ARGUMENT', message, field: USAGE, hint });
}

import { openClusterSchema } from '@sentinel/service-kit/cql/cluster-schema';
import { EXIT, SentinelError } from '@sentinel/service-kit/errors';
import { type SchemaOwner, stepStands } from '@sentinel/service-kit/schema-owner';
import { SECTION } from '../storage/scylla/cluster.js';
import { LEDGER_SCHEMA } from '../storage/scylla/migrations/index.js';
import { isClustered } from '../storage/select-backend.js';
import type { Command } from './index.js';

type Action = 'up' | 'down' | 'status';

/** Up without a word; a writer does the same when it starts. */
export const migrate: Command = async ({ config, flags, positionals }, { stdout }) => {
  const action = actionOf(positionals, flags.down);
  if (!isClustered(config)) {
    stdout.write(`the log lies in files in ${config.data_dir}, which have no schema: nothing to migrate\n`);
    return EXIT.ok;
  }
  if (action === 'down' && !flags.yes) {
    const message = `the log in keyspace ${config.storage.scylla.keyspace} would be lost, and nothing brings it back`;
    throw usage('--down', message, 'Say --yes where that is meant, with no writer at work.');
  }
  await using schema = await openClusterSchema(config.storage.scylla, SECTION, LEDGER_SCHEMA, action === 'up');
  return action === 'status' ? await status(schema, stdout) : await move(schema, action, stdout);
};

interface Output {
  write(text: string): unknown;
}

async function status(schema: SchemaOwner, stdout: Output): Promise<number> {
  const steps = await schema.status();
  for (const step of steps) stdout.write(`${step.name} ${stepStands(step)}\n`);
  return steps.every(({ done }) => done) ? EXIT.ok : EXIT.negative;
}

async function move(schema: SchemaOwner, action: 'up' | 'down', stdout: Output): Promise<number> {
  const steps = await schema[action](undefined);
  for (const step of steps) stdout.write(`${step} ${action === 'up' ? 'taken' : 'taken back'}\n`);
  if (steps.length === 0) stdout.write('nothing to do\n');
  return EXIT.ok;
}

function actionOf(positionals: readonly string[], down: boolean): Action {
  const [word, ...rest] = positionals;
  if (word === undefined) return down ? 'down' : 'up';
  if (word === 'status' && rest.length === 0 && !down) return 'status';
  throw usage('migrate', 'migrate takes --down, or the word status, or nothing', 'For example: migrate status');
}

function usage(field: string, message: string, hint: string): SentinelError {
  return new SentinelError({ code: 'INVALID_ARGUMENT', field, message, hint });
}

import { once } from 'node:events';
import { connect } from 'node:net';
import { json } from 'node:stream/consumers';
import { BROKER_VARIABLE, Broker } from './broker.js';
import type { Answer } from './kind.js';
import { KINDS, type ServerName } from './kinds.js';

/** Of a test file that runs alone: it ends with its process. */
let own: Broker | undefined;

/**
 * The URL of a real server: the one that the environment names (`SENTINEL_TEST_<NAME>_URL`), the one of this test run, or one of this
 * process's own. Use `{ skip: answer.skip }` for tests that cannot do without.
 * @throws Error in CI where there is none: nothing is skipped there
 */
export async function testServer(name: ServerName): Promise<{ url: string; skip: false } | { url: ''; skip: string }> {
  const answer = await ask(name);
  if ('url' in answer) return { url: answer.url, skip: false };
  const missing = `${name}: ${answer.missing} (set ${KINDS[name].variable} to use a server that is there)`;
  if (process.env.CI === 'true') throw new Error(missing);
  return { url: '', skip: missing };
}

async function ask(name: ServerName): Promise<Answer> {
  const socket = process.env[BROKER_VARIABLE];
  if (socket === undefined || socket === '') {
    own ??= new Broker();
    return own.answer(name);
  }
  const connection = connect(socket);
  await once(connection, 'connect');
  connection.write(`${name}\n`);
  return (await json(connection)) as Answer;
}

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { startProcess } from '../start-process.js';
import { BROKER_VARIABLE, Broker } from './broker.js';

/** What another process is given as its server, with these variables. */
async function askedElsewhere(env: NodeJS.ProcessEnv): Promise<string> {
  const module = new URL('test-server.js', import.meta.url).href;
  const script = `import { testServer } from ${JSON.stringify(module)};
    const answer = await testServer('postgres').catch((error) => ({ error: error.message }));
    console.log(JSON.stringify(answer));`;
  await using asked = await startProcess({ command: [process.execPath, '--input-type=module', '-e', script], env });
  const { code } = await asked.exited;
  assert.equal(code, 0, asked.output);
  return asked.output.trim();
}

const NONE = { [BROKER_VARIABLE]: '', SENTINEL_TEST_POSTGRES_URL: '', CI: '' };

describe('a real server for a test', () => {
  test('is one for every process of a run, and ends with the run', async () => {
    const broker = new Broker();
    const socket = await broker.listen();
    const env = { ...NONE, [BROKER_VARIABLE]: socket };
    const [first, second] = await Promise.all([askedElsewhere(env), askedElsewhere(env)]);
    assert.match(first, /"url":"postgres:\/\/postgres:/);
    assert.equal(second, first);
    await broker.close();
    assert.equal(existsSync(socket), false);
  });

  test('is one of its own for a file that runs alone, which ends all the same', async () => {
    assert.match(await askedElsewhere(NONE), /"url":"postgres:/);
  });

  test('is the one that the environment names', async () => {
    const url = 'postgres://somebody@somewhere/db';
    const answer = await askedElsewhere({ ...NONE, SENTINEL_TEST_POSTGRES_URL: url });
    assert.deepEqual(JSON.parse(answer), { url, skip: false });
  });

  test('that cannot start is a reason to skip, and an error in CI', async () => {
    const broken = { ...NONE, TMPDIR: '/nonexistent' };
    const here = JSON.parse(await askedElsewhere(broken)) as { skip: string };
    assert.match(here.skip, /^postgres: .*SENTINEL_TEST_POSTGRES_URL/);
    const inCi = JSON.parse(await askedElsewhere({ ...broken, CI: 'true' })) as { error: string };
    assert.match(inCi.error, /^postgres: /);
  });
});

/** `docker compose -f deploy/docker-compose.test.yml up --build --abort-on-container-exit`, as the deployment guide has it. */
import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { until } from '../harness/until.js';
import { docker, dockerEnvironment, NO_DOCKER, type Output } from './docker.js';

const COMPOSE = ['compose', '-f', 'deploy/docker-compose.test.yml'];
/** A bare machine compiles compose and every image first. */
const LONG = { timeout: 3_000_000 };
const RUNNER = 'integration-tests';
/** Tests that never end. */
const IDLE = basename(import.meta.resolve('./idle.js'), '.js');
/** Container of a service. */
const containerOf = (service: string): string => `sentinel-test-${service}-1`;

describe('docker-compose.test.yml', { skip: NO_DOCKER, ...LONG }, () => {
  let env: NodeJS.ProcessEnv;
  before(async () => {
    env = await dockerEnvironment();
    await docker(env, [...COMPOSE, 'down', '-v']);
  }, LONG);
  after(() => docker(env, [...COMPOSE, 'down', '-v']));

  /** Runs it. @returns which service ended first: the others are stopped for it */
  async function run(tests: string): Promise<Output & { readonly first: string }> {
    const up = ['up', '--build', '--abort-on-container-exit'];
    const output = await docker({ ...env, INTEGRATION_TESTS: tests }, [...COMPOSE, ...up]);
    return { ...output, first: /([a-z-]+)-1 exited with code/.exec(output.stdout)?.[1] ?? '' };
  }

  it('runs the integration tests; only their container ends, and the status is theirs', async (context) => {
    const { code, stdout, stderr, first } = await run('integration');
    assert.equal(code, 0, stdout.slice(-6000) + stderr.slice(-2000));
    assert.match(stdout, /pass [1-9]\d*/);
    assert.equal(first, RUNNER);
    context.diagnostic(/duration_ms \d+/.exec(stdout)?.[0] ?? '');
  });

  it('fails where a store ends, though that says that all is well', async () => {
    const running = run(IDLE);
    await until(
      'their container runs',
      900_000,
      async () => (await docker(env, ['exec', containerOf(RUNNER), 'true'])).code === 0,
      1_000,
    );
    const shutdown = 'REDISCLI_AUTH=$(cat /run/store-secrets/redis.password) redis-cli shutdown';
    await docker(env, ['exec', containerOf('redis'), 'sh', '-c', shutdown]);
    const { code, first } = await running;
    assert.deepEqual([code, first], [70, 'redis']);
  });

  it('fails where they fail', async () => {
    const { code, first } = await run('there-is-no-such-file');
    assert.deepEqual([code, first], [1, RUNNER]);
  });
});

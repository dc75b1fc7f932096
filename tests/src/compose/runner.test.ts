/** `docker compose -f deploy/docker-compose.test.yml up --build --abort-on-container-exit`, as the deployment guide has it. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { docker, dockerEnvironment, NO_DOCKER, type Output } from './docker.js';

const COMPOSE = ['compose', '-f', 'deploy/docker-compose.test.yml'];
const RUNNER = 'integration-tests';

describe('docker-compose.test.yml', { skip: NO_DOCKER, timeout: 3_000_000 }, () => {
  let env: NodeJS.ProcessEnv;
  before(async () => {
    env = await dockerEnvironment();
    await docker(env, [...COMPOSE, 'down', '-v']);
  });
  after(() => docker(env, [...COMPOSE, 'down', '-v']));

  /** Runs it and names what ended by itself. */
  async function run(tests: string): Promise<Output & { readonly ended: readonly string[] }> {
    const output = await docker({ ...env, INTEGRATION_TESTS: tests }, [
      ...COMPOSE,
      'up',
      '--build',
      '--abort-on-container-exit',
    ]);
    const before = output.stdout.slice(0, output.stdout.indexOf('Aborting on container exit'));
    return { ...output, ended: [...before.matchAll(/(\S+) exited with code/g)].map(([, name]) => name ?? '') };
  }

  it('runs the integration tests; only their container ends, and the status is theirs', async (context) => {
    const { code, stdout, stderr, ended } = await run('integration');
    assert.equal(code, 0, stdout.slice(-6000) + stderr.slice(-2000));
    assert.match(stdout, /pass [1-9]\d*/);
    assert.deepEqual(ended, [`sentinel-test-${RUNNER}`]);
    context.diagnostic(/duration_ms \d+/.exec(stdout)?.[0] ?? '');
  });

  it('fails where they fail', async () => {
    const { code, ended } = await run('there-is-no-such-file');
    assert.deepEqual([code, ended], [1, [`sentinel-test-${RUNNER}`]]);
  });
});

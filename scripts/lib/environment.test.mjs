import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stepEnvironment, toolEnvironment } from './environment.mjs';

test("the user's npm settings that would break a build do not reach it", () => {
  const env = {
    npm_config_nodedir: '/usr',
    NPM_CONFIG_IGNORE_SCRIPTS: 'true',
    npm_package_name: 'x',
    npm_config_cafile: '/ca',
    HOME: '/h',
  };
  assert.deepEqual(stepEnvironment(env), { npm_config_cafile: '/ca', HOME: '/h' });
});

test('tools are found in the workspace and the toolchain first, once', () => {
  const toolchain = {
    node: '/t/bin/node',
    nodeDir: '/t',
    pnpm: '/t/pnpm.cjs',
    bin: ['/t/bin', '/t/.bin'],
    version: '24.21.0',
  };
  const env = toolEnvironment({ PATH: '/usr/bin:/t/bin', npm_config_nodedir: '/usr' }, toolchain, '/clone');
  assert.equal(env.PATH, '/clone/node_modules/.bin:/clone/scripts/node_modules/.bin:/t/bin:/t/.bin:/usr/bin');
  assert.equal(env.npm_config_nodedir, '/t');
  assert.deepEqual(toolEnvironment(env, toolchain, '/clone'), env);
});

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { temporaryFolder } from '../testing.mjs';
import { grafanaOrNone } from './grafana.mjs';

/** Where docker has the image (`there`), gets it (`pulled`), or neither. @returns files that compose is told to take, and what was said */
async function asked(t, args, outcome, rest = {}) {
  const folder = temporaryFolder(t, {});
  const succeeds = { there: 'inspect', pulled: '-q' }[outcome] ?? 'nothing';
  fs.writeFileSync(path.join(folder, 'docker'), `#!/bin/sh\n[ "$2" = ${succeeds} ]\n`, { mode: 0o755 });
  const said = [];
  const env = await grafanaOrNone(args, { PATH: `${folder}:/bin`, ...rest }, (line) => said.push(line));
  return { files: env.COMPOSE_FILE?.split(path.delimiter).map((file) => path.basename(file)), said: said.length };
}

it('the stack starts without Grafana where its image is not to be had, and that is said', async (t) => {
  const files = ['docker-compose.yml', 'without-grafana.yaml'];
  assert.deepEqual(await asked(t, ['up', '-d'], 'refused'), { files, said: 1 });
});

it('and with it where it is', async (t) => {
  for (const outcome of ['there', 'pulled'])
    assert.deepEqual(await asked(t, ['up', '-d'], outcome), { files: undefined, said: 0 });
});

it('whoever names files has those', async (t) => {
  assert.deepEqual(await asked(t, ['-f', 'mine.yml', 'up'], 'refused'), { files: undefined, said: 0 });
  const env = { COMPOSE_FILE: 'mine.yml' };
  assert.deepEqual(await asked(t, ['up'], 'refused', env), { files: ['mine.yml'], said: 0 });
  assert.deepEqual(await asked(t, ['ps'], 'refused'), { files: undefined, said: 0 });
});

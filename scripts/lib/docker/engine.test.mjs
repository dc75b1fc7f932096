import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { temporaryFolder } from '../testing.mjs';
import { dockerEngine, stopOwnEngine } from './engine.mjs';

/** A folder with a `docker` whose engine answers where `answering` says, and a `dockerd` that does `more` and then only stays. */
function world(t, answering, more = ':') {
  const folder = temporaryFolder(t);
  const program = (name, text) => fs.writeFileSync(path.join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  program('docker', answering);
  program(
    'dockerd',
    `[ "$1" = --version ] && exit; echo "$@" > ${folder}/flags; echo $$ > ${folder}/pid; ${more}; exec sleep 60`,
  );
  const file = (name) => path.join(folder, name);
  const places = {
    data: file('data'),
    exec: file('exec'),
    socket: file('s/docker.sock'),
    pid: file('pid'),
    log: file('log'),
  };
  return { env: { PATH: `${folder}:${process.env.PATH}` }, places, file };
}

it('an engine that answers is used as it is', async (t) => {
  const { env, places, file } = world(t, 'exit 0');
  const named = { ...env, DOCKER_HOST: 'tcp://somewhere:2375' };
  assert.equal(await dockerEngine(named, places), named);
  assert.ok(!fs.existsSync(file('flags')));
});

it('where none answers, one of its own is started, found again by the next command, and ended', async (t) => {
  // It answers a while after it has begun, however long that takes.
  const later = `(sleep 0.5; : > "${'$'}{DOCKER_HOST#unix://}.answers") &`;
  const { env, places, file } = world(t, `[ -e ${'$'}{DOCKER_HOST#unix://}.answers ]`, `${later} :`);
  const own = await dockerEngine({ ...env, DOCKER_CONTEXT: 'other' }, places);
  assert.deepEqual(own, { ...env, DOCKER_HOST: `unix://${places.socket}` });
  assert.match(fs.readFileSync(file('flags'), 'utf8'), new RegExp(`--host=unix://${places.socket}`));
  const pid = fs.readFileSync(places.pid, 'utf8');
  await dockerEngine(env, places);
  assert.equal(fs.readFileSync(places.pid, 'utf8'), pid);

  await stopOwnEngine(places);
  assert.throws(() => process.kill(Number(pid), 0), { code: 'ESRCH' });
  await stopOwnEngine(places);
});

it('a machine with neither is told what to install', async (t) => {
  const { env, places, file } = world(t, 'exit 1');
  fs.writeFileSync(file('dockerd'), '#!/bin/sh\nexit 1\n');
  await assert.rejects(dockerEngine(env, places), /No Docker engine answers.*install Docker 24/);
});

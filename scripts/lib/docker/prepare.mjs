import fs from 'node:fs';
import path from 'node:path';
import { bootstrap } from '../bootstrap.mjs';
import { withLock } from '../lock.mjs';
import { capture } from './capture.mjs';
import { composePlugin } from './compose-plugin.mjs';
import { dockerEngine } from './engine.mjs';
import { provideImages } from './images.mjs';
import { FOLDER } from './places.mjs';

/**
 * Everything that `docker compose up` of this repository needs from a machine.
 * @returns {Promise<NodeJS.ProcessEnv>} in which `docker` and `docker compose` run
 */
export async function prepareDocker() {
  await bootstrap({ upTo: 'install' });
  fs.mkdirSync(FOLDER, { recursive: true });
  const told = (holder) => process.stderr.write(`Process ${holder} prepares Docker for this clone; waiting for it.\n`);
  return withLock(path.join(FOLDER, 'lock'), prepare, told);
}

async function prepare() {
  const env = await builder(await composePlugin(await dockerEngine()));
  await provideImages(env);
  return env;
}

/**
 * Without the plugin buildx, images are built by the engine's own builder, one after the other: what they have in common, which is the
 * most of it, is then built once, since that builder shares no layer before it is done.
 */
async function builder(env) {
  if ((await capture('docker', ['buildx', 'version'], { env })).ok) return env;
  return { ...env, DOCKER_BUILDKIT: '0', COMPOSE_BAKE: 'false', COMPOSE_PARALLEL_LIMIT: '1' };
}

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { ROOT, SETUP_LOGS } from '../paths.mjs';
import { createProgress } from '../progress.mjs';
import { runStep } from '../run-step.mjs';
import { filesBelow } from '../stamps.mjs';
import { capture } from './capture.mjs';
import { INGREDIENTS } from './ingredients.mjs';
import { FOLDER } from './places.mjs';

/** Every image of others that the Dockerfiles and the compose file name, and the folder of its stand-in; bases first. */
export const IMAGES = {
  'debian:bookworm-slim': 'debian',
  'node:24-bookworm-slim': 'node',
  'golang:1.26-bookworm': 'golang',
  'postgres:18-bookworm': 'postgres',
  'redis:7.4-bookworm': 'redis',
  'scylladb/scylla:5.4': 'scylladb',
  'prom/prometheus:v2.53.4': 'prometheus',
};
/** What marks a stand-in: the fingerprint of what it was made from. */
export const LABEL = 'sentinel.stand-in';
const STAND_INS = 'scripts/stand-ins';
const PULL_TIMEOUT_MS = 600_000;

/**
 * Gets the images that are missing: from their registry, else as stand-ins. An image of the same name that is not ours stays.
 * @param {NodeJS.ProcessEnv} env in which docker runs
 * @param {{ progress?: ReturnType<typeof createProgress>, make?: typeof makeStandIn }} [world]
 */
export async function provideImages(env, { progress = createProgress(), make = makeStandIn } = {}) {
  let registry = true;
  for (const [name, folder] of Object.entries(IMAGES)) {
    const mark = await markOf(name, env);
    const fingerprint = fingerprintOf(folder);
    if (mark === null || mark === fingerprint) continue;
    if (mark === undefined && registry && (await pull(name, env, progress))) continue;
    registry = false;
    await progress.step(`Making a stand-in for ${name}`, () => make(name, folder, fingerprint, env));
  }
  progress.end();
}

/** @returns {Promise<string | null | undefined>} a stand-in's fingerprint; null: a real image; undefined: there is none */
async function markOf(name, env) {
  const format = `{{ index .Config.Labels "${LABEL}" }}`;
  const { ok, stdout } = await capture('docker', ['image', 'inspect', '--format', format, name], { env });
  return ok ? stdout.trim() || null : undefined;
}

function pull(name, env, progress) {
  return progress.step(`Pulling ${name}`, async () => {
    const { ok, stderr } = await capture('docker', ['pull', '-q', name], { env, timeoutMs: PULL_TIMEOUT_MS });
    if (!ok) progress.note(stderr.trim());
    return ok;
  });
}

/** Made again when its files change, or those of what it is made FROM. */
export function fingerprintOf(folder) {
  const hash = createHash('sha256');
  for (const file of filesBelow(ROOT, [`${STAND_INS}/debian`, `${STAND_INS}/${folder}`], () => true))
    hash.update(file).update(fs.readFileSync(path.join(ROOT, file)));
  return hash.digest('hex').slice(0, 16);
}

async function makeStandIn(name, folder, fingerprint, env) {
  const context = path.join(FOLDER, 'context', folder);
  fs.rmSync(context, { recursive: true, force: true });
  fs.cpSync(path.join(ROOT, STAND_INS, folder), context, { recursive: true });
  fs.mkdirSync(SETUP_LOGS, { recursive: true });
  await INGREDIENTS[folder]?.(context);
  await runStep({
    step: `making ${name}`,
    command: 'docker',
    args: ['build', '--label', `${LABEL}=${fingerprint}`, '--tag', name, context],
    cwd: context,
    env,
    log: path.join(SETUP_LOGS, `stand-in-${folder}.log`),
  });
  fs.rmSync(context, { recursive: true });
}

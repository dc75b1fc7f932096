import path from 'node:path';
import { ROOT, SETUP_LOGS } from '../paths.mjs';
import { runStep } from '../run-step.mjs';
import { capture } from './capture.mjs';

/** What users get an image of, each from deploy/docker/NAME.Dockerfile. */
export const COMPONENTS = [
  'correlation-engine',
  'audit-ledger',
  'probe-agent',
  'training-monitor',
  'inference-monitor',
  'sidecar-injector',
];
const REGISTRY = 'ghcr.io/sentinel-sdc';
const VERSION = '0.1.0-alpha';
const BASE = 'debian:bookworm-slim';

/** @param {string} component @returns {string} the image's name, as the compose file has it */
export const imageOf = (component) => `${REGISTRY}/${component}:${VERSION}`;

/** Builds a component's image; where nothing changed its layers are there already. */
export function buildImage(component, env) {
  return runStep({
    step: `building the image of ${component}`,
    command: 'docker',
    args: ['build', '--file', `deploy/docker/${component}.Dockerfile`, '--tag', imageOf(component), '.'],
    cwd: ROOT,
    env,
    log: path.join(SETUP_LOGS, `image-${component}.log`),
  });
}

/**
 * Every file of an image, as its archive has it: no program of the image itself is asked.
 * @returns {Promise<{ path: string, bytes: number }[]>} files and links, their paths absolute
 */
export async function filesOf(image, env) {
  const script = 'id=$(docker create "$1") && docker export "$id" | tar -tv --numeric-owner; docker rm -f "$id" >&2';
  const { ok, stdout, stderr } = await capture('sh', ['-c', script, 'sh', image], { env });
  if (!ok) throw new Error(stderr);
  const entry = /^[^d]\S+ \S+ +(\d+) \S+ \S+ (.+?)(?: (?:->|link to) .*)?$/;
  const found = stdout.split('\n').flatMap((line) => entry.exec(line) ?? []);
  const files = [];
  for (let at = 0; at < found.length; at += 3) files.push({ path: `/${found[at + 2]}`, bytes: Number(found[at + 1]) });
  return files;
}

/** @returns {Promise<number>} bytes that an image adds to its base and to the program `node`, which nothing can run without */
export async function bytesAboveBase(image, env) {
  const node = (await filesOf(image, env)).find((file) => file.path === '/usr/local/bin/node');
  const [own, base] = await Promise.all([image, BASE].map((name) => inspect(name, env)));
  return own.Size - base.Size - (node?.bytes ?? 0);
}

/** What the engine knows of an image. */
export async function inspect(image, env) {
  const { ok, stdout, stderr } = await capture('docker', ['image', 'inspect', image], { env });
  if (!ok) throw new Error(stderr);
  return JSON.parse(stdout)[0];
}

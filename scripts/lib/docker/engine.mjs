import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from '../setup-error.mjs';
import { capture } from './capture.mjs';
import { ENGINE } from './places.mjs';

const POLL_MS = 250;
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;
/** Away from the networks that machines are in; its containers' networks are taken from Docker's own pools. */
const BRIDGE = '10.90.0.1/24';
/** Open files of a container, where the machine allows as many. */
const MAX_OPEN_FILES = 20_000;

/**
 * The engine that the environment names, as it is; where none answers, one of this clone's own.
 * @param {NodeJS.ProcessEnv} [env]
 * @param {import('./places.mjs').EnginePlaces} [places]
 * @returns {Promise<NodeJS.ProcessEnv>} in which `docker` reaches it
 * @throws {SetupError} when there is none and none can be started
 */
export async function dockerEngine(env = process.env, places = ENGINE) {
  if (await answers(env)) return env;
  const own = { ...env, DOCKER_HOST: `unix://${places.socket}` };
  delete own.DOCKER_CONTEXT;
  if (!(await answers(own))) await start(own, places);
  return own;
}

/** Ends the engine that `dockerEngine` started, with its containers; nothing happens where there is none. */
export async function stopOwnEngine(places = ENGINE) {
  const pid = pidOf(places);
  if (pid === null) return;
  process.kill(pid, 'SIGTERM');
  const end = Date.now() + STOP_TIMEOUT_MS;
  while (pidOf(places) !== null) {
    if (Date.now() > end) throw new SetupError(`The Docker engine (process ${pid}) does not end.`, { log: places.log });
    await sleep(POLL_MS);
  }
}

async function answers(env) {
  return (await capture('docker', ['version', '--format', '{{.Server.Version}}'], { env })).ok;
}

async function start(env, places) {
  if (process.getuid?.() !== 0 || !(await capture('dockerd', ['--version'], { env })).ok) {
    throw new SetupError(
      'No Docker engine answers, and none can be started here: install Docker 24 or newer and start it (as root "apt-get install docker.io" is enough).',
    );
  }
  for (const folder of [places.data, path.dirname(places.log), path.dirname(places.socket)])
    fs.mkdirSync(folder, { recursive: true });
  const log = fs.openSync(places.log, 'a');
  const flags = [
    `--host=unix://${places.socket}`,
    `--data-root=${places.data}`,
    `--exec-root=${places.exec}`,
    `--pidfile=${places.pid}`,
    `--default-ulimit=nofile=${MAX_OPEN_FILES}:${MAX_OPEN_FILES}`,
    `--bip=${BRIDGE}`,
  ];
  const daemon = spawn('dockerd', flags, { env, detached: true, stdio: ['ignore', log, log] });
  fs.closeSync(log);
  daemon.unref();
  const end = Date.now() + START_TIMEOUT_MS;
  while (!(await answers(env))) {
    if (daemon.exitCode !== null || Date.now() > end)
      throw new SetupError('The Docker engine does not start.', { log: places.log });
    await sleep(POLL_MS);
  }
}

function pidOf({ pid }) {
  try {
    const process_ = Number(fs.readFileSync(pid, 'utf8'));
    process.kill(process_, 0);
    return process_;
  } catch {
    return null;
  }
}

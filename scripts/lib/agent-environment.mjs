// What `sentinel-probe-agent` of a clone needs beside its arguments, to report to the SENTINEL that was started from this clone.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from './paths.mjs';

const KEY = 'SENTINEL_PROBE_AGENT_HMAC_KEY';
const KEY_PATH = 'SENTINEL_PROBE_AGENT_HMAC_KEY_PATH';
const DATA = 'SENTINEL_PROBE_AGENT_DATA_DIR';
const READ_KEY = ['exec', '-T', 'secrets', 'cat', '/run/sentinel/secrets/hmac.key'];
const TIMEOUT_MS = 10_000;

/**
 * The default configuration has no fleet key and keeps its spool where only root may write. A configuration of one's own says both.
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @param {(root: string) => string | null} composeKey
 * @returns {NodeJS.ProcessEnv}
 */
export function agentEnvironment(args, env, root = ROOT, composeKey = keyOfCompose) {
  if (!usesDefaults(args, root)) return env;
  const data = path.join(root, '.sentinel', 'agent-spool');
  return { [DATA]: data, ...fleetKey(env, root, composeKey), ...env };
}

function usesDefaults(args, root) {
  const at = args.indexOf('--config');
  const config = at < 0 ? args.find((arg) => arg.startsWith('--config='))?.slice('--config='.length) : args[at + 1];
  return config !== undefined && path.resolve(config) === path.join(root, 'config', 'sentinel.default.yaml');
}

/** Of the compose stack while it runs, else of `npm start`. */
function fleetKey(env, root, composeKey) {
  if (env[KEY] !== undefined || env[KEY_PATH] !== undefined) return {};
  const key = composeKey(root);
  if (key !== null) return { [KEY]: key };
  const file = path.join(root, '.sentinel', 'secrets', 'hmac.key');
  return fs.existsSync(file) ? { [KEY_PATH]: file } : {};
}

function keyOfCompose(root) {
  const file = path.join(root, 'deploy', 'docker-compose.yml');
  const { status, stdout } = spawnSync('docker', ['compose', '-f', file, ...READ_KEY], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: TIMEOUT_MS,
  });
  return status === 0 ? stdout.trim() : null;
}

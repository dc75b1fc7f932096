import path from 'node:path';
import { ROOT } from '../paths.mjs';
import { capture } from './capture.mjs';

const IMAGE = 'grafana/grafana:12.3.0';
/** The stack without it; relative to the clone. */
const WITHOUT = ['deploy/docker-compose.yml', 'deploy/docker/without-grafana.yaml'];
const PULL_TIMEOUT_MS = 600_000;

/**
 * What `docker compose up` starts where Grafana's image, for which nothing can stand in, is not to be had: all the others.
 * @param {string[]} args of `docker compose`
 * @param {NodeJS.ProcessEnv} env in which docker runs
 * @param {(line: string) => void} tell
 * @returns {Promise<NodeJS.ProcessEnv>} in which it runs
 */
export async function grafanaOrNone(args, env, tell) {
  const chosen = env.COMPOSE_FILE || args.some((each) => /^(-f|--file)/.test(each));
  if (chosen || !args.includes('up')) return env;
  if ((await capture('docker', ['image', 'inspect', IMAGE], { env })).ok) return env;
  if ((await capture('docker', ['pull', '-q', IMAGE], { env, timeoutMs: PULL_TIMEOUT_MS })).ok) return env;
  tell(
    `${IMAGE} cannot be pulled here: the stack starts without Grafana (its dashboards: deploy/grafana/provisioning).`,
  );
  return { ...env, COMPOSE_FILE: WITHOUT.map((file) => path.join(ROOT, file)).join(path.delimiter) };
}

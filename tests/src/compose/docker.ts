import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../harness/paths.js';

/** What a build of every image takes on two busy cores, with room. */
const TIMEOUT_MS = 1_800_000;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Preparation {
  prepareDocker(): Promise<NodeJS.ProcessEnv>;
}

/** Why tests that need Docker are skipped; never in CI, where the engine, compose and images are brought. */
export const NO_DOCKER: string | false =
  process.env.CI === 'true' || spawnSync('docker', ['compose', 'version'], { stdio: 'ignore' }).status === 0
    ? false
    : 'there is no docker compose here (node scripts/docker.mjs prepare)';

/** The environment in which `docker` has an engine, compose and every image. */
export async function dockerEnvironment(): Promise<NodeJS.ProcessEnv> {
  const module = pathToFileURL(join(ROOT, 'scripts/lib/docker/prepare.mjs')).href;
  const { prepareDocker } = (await import(module)) as Preparation;
  return await prepareDocker();
}

/** Runs docker to its end, whatever the end is. */
export function docker(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<Output> {
  return new Promise((resolve, reject) => {
    const options = { cwd: ROOT, env, timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES };
    execFile('docker', args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr });
      else reject(new Error(`docker ${args.join(' ')}: ${error.message}`, { cause: error }));
    });
  });
}

import fs from 'node:fs';
import path from 'node:path';
import { SETUP_LOGS } from '../paths.mjs';
import { runStep } from '../run-step.mjs';
import { SetupError } from '../setup-error.mjs';
import { capture } from './capture.mjs';
import { FOLDER } from './places.mjs';

const VERSION = 'v2.40.3';
const MODULE = 'github.com/docker/compose/v2';

/**
 * Docker's plugin `compose`: as it is installed, else compiled once from the Go module proxy, which packages of the system lack.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<NodeJS.ProcessEnv>} in which `docker compose` runs
 */
export async function composePlugin(env) {
  if ((await capture('docker', ['compose', 'version'], { env })).ok) return env;
  const config = path.join(FOLDER, 'config');
  const plugin = path.join(FOLDER, 'bin', `docker-compose-${VERSION}`);
  if (!fs.existsSync(plugin)) await compile(plugin);
  const link = path.join(config, 'cli-plugins', 'docker-compose');
  fs.mkdirSync(path.dirname(link), { recursive: true });
  fs.rmSync(link, { force: true });
  fs.symlinkSync(plugin, link);
  return { ...env, DOCKER_CONFIG: config };
}

/** `go install` refuses a module with exclusions: it is compiled as a dependency of a module with the same requirements and sums. */
async function compile(plugin) {
  const source = await download();
  const folder = path.join(FOLDER, 'compose-build');
  fs.mkdirSync(folder, { recursive: true });
  const requirements = fs.readFileSync(source.GoMod, 'utf8').replace(/^module .*$/m, 'module compose-build');
  fs.writeFileSync(path.join(folder, 'go.mod'), `${requirements}\nrequire ${MODULE} ${VERSION}\n`);
  fs.copyFileSync(path.join(source.Dir, 'go.sum'), path.join(folder, 'go.sum'));
  const version = `-s -w -X ${MODULE}/internal.Version=${VERSION}`;
  const partial = `${plugin}.partial`;
  fs.mkdirSync(SETUP_LOGS, { recursive: true });
  await runStep({
    step: 'compiling docker compose',
    command: 'go',
    args: ['build', '-trimpath', '-ldflags', version, '-o', partial, `${MODULE}/cmd`],
    cwd: folder,
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=mod -buildvcs=false' },
    log: path.join(SETUP_LOGS, 'docker-compose.log'),
  });
  fs.renameSync(partial, plugin);
  fs.rmSync(folder, { recursive: true });
}

async function download() {
  const { ok, stdout, stderr } = await capture('go', ['mod', 'download', '-json', `${MODULE}@${VERSION}`]);
  if (ok) return JSON.parse(stdout);
  throw new SetupError(
    `There is no docker compose, and it cannot be compiled here: install Docker's compose plugin 2.20 or newer, or Go 1.24 (${stderr.trim()}).`,
  );
}

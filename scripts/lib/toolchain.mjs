// Node 24 and pnpm, as npm packages whose versions and hashes scripts/toolchain/package-lock.json pins.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { stepEnvironment } from './environment.mjs';
import { CURRENT, ROOT, SETUP_LOGS, TOOLCHAIN } from './paths.mjs';
import { runStep } from './run-step.mjs';
import { SetupError } from './setup-error.mjs';

const PINS = path.join(ROOT, 'scripts', 'toolchain');
const NEEDED_MAJOR = 24;
const NODE_PACKAGE = `node-${process.platform}-${process.arch}`;

/**
 * @typedef {{ node: string, nodeDir: string, pnpm: string, bin: string[], version: string }} Toolchain
 * `nodeDir` holds `include/node` for node-gyp; `bin` are the folders to put before PATH.
 */

/** The versions that the pins name. */
function pinnedVersions() {
  const { dependencies, optionalDependencies } = JSON.parse(fs.readFileSync(path.join(PINS, 'package.json'), 'utf8'));
  return { pnpm: dependencies.pnpm, node: optionalDependencies[NODE_PACKAGE] };
}

/** @returns {Toolchain} where the toolchain is, or will be after `installToolchain` */
export function locateToolchain() {
  const modules = path.join(folder(), 'node_modules');
  const nodeDir = machineNodeDir() ?? path.join(modules, NODE_PACKAGE);
  const node = machineNodeDir() ? process.execPath : path.join(nodeDir, 'bin', 'node');
  return {
    node,
    nodeDir,
    pnpm: path.join(modules, 'pnpm', 'bin', 'pnpm.cjs'),
    bin: [path.dirname(node), path.join(modules, '.bin')],
    version: machineNodeDir() ? process.versions.node : pinnedVersions().node,
  };
}

/** @returns {boolean} whether it lies there, complete (its folder appears by one rename) */
export function hasToolchain(toolchain) {
  return fs.existsSync(toolchain.pnpm) && fs.existsSync(toolchain.node);
}

/** Installs into a folder beside the final one and renames it: an interrupted download leaves nothing half done. */
export async function installToolchain(toolchain) {
  if (!machineNodeDir() && !pinnedVersions().node) throw unsupportedMachine();
  const target = folder();
  const partial = `${target}.partial`;
  fs.rmSync(partial, { recursive: true, force: true });
  fs.rmSync(target, { recursive: true, force: true });
  fs.mkdirSync(partial, { recursive: true });
  for (const name of ['package.json', 'package-lock.json'])
    fs.copyFileSync(path.join(PINS, name), path.join(partial, name));
  const npm = npmCommand();
  const omit = machineNodeDir() ? ['--omit=optional'] : ['--include=optional'];
  await runStep({
    step: 'downloading Node and pnpm',
    command: npm.command,
    args: [...npm.args, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=1', ...omit],
    cwd: partial,
    env: stepEnvironment(process.env),
    log: path.join(SETUP_LOGS, 'toolchain.log'),
  });
  fs.renameSync(partial, target);
  if (!hasToolchain(toolchain)) {
    throw new SetupError('npm installed no Node package: connect this machine to the network and run this again.', {
      log: path.join(SETUP_LOGS, 'toolchain.log'),
    });
  }
}

/** Records the toolchain for bin/sentinel.mjs. */
export function recordToolchain(toolchain) {
  fs.writeFileSync(CURRENT, `${JSON.stringify(toolchain, undefined, 2)}\n`);
}

/** The running Node's folder when it is the machine's own, new enough and brought its headers along. */
function machineNodeDir() {
  const [major] = process.versions.node.split('.').map(Number);
  const nodeDir = path.dirname(path.dirname(fs.realpathSync(process.execPath)));
  if (nodeDir.startsWith(TOOLCHAIN + path.sep)) return undefined; // the pinned one, started by a command of ours
  const hasHeaders = fs.existsSync(path.join(nodeDir, 'include', 'node', 'node_api.h'));
  return major >= NEEDED_MAJOR && hasHeaders ? nodeDir : undefined;
}

/** One folder per set of pins and kind of machine. */
function folder() {
  const pins = fs.readFileSync(path.join(PINS, 'package-lock.json'));
  const kind = `${process.platform}-${process.arch}-${machineNodeDir() ? 'machine-node' : 'own-node'}`;
  return path.join(TOOLCHAIN, createHash('sha256').update(pins).update(kind).digest('hex').slice(0, 12));
}

/** npm as it was when it started us, else the one on PATH. */
function npmCommand() {
  const started = process.env.npm_execpath ?? '';
  if (path.basename(started) === 'npm-cli.js') return { command: process.execPath, args: [started] };
  return { command: 'npm', args: [] };
}

function unsupportedMachine() {
  return new SetupError(
    `There is no packaged Node ${NEEDED_MAJOR} for ${process.platform} on ${process.arch}: install Node ${NEEDED_MAJOR} with its headers and run this again.`,
  );
}

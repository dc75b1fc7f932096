// Builds both addons with node-gyp, offline: the headers are those that lie beside the running Node.
//   SENTINEL_NODEDIR  another folder with include/node (default: derived from process.execPath)
//   CXX               another C++17 compiler (default: g++, c++ or clang++ on PATH)
// Does nothing when the addons are already built from these sources by this Node (pass --force to build all the same).
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, delimiter, dirname, join, relative } from 'node:path';
import { addonPath } from '../index.js';
import { ARCHITECTURES, embedKernels } from './cubins.mjs';
import { cudaToolchain, hasCudaToolchain } from './cuda-toolchain.mjs';
import { writeInstructionsHeader } from './gpu-instructions.mjs';
import { writeKnownAnswersHeader } from './known-answers-header.mjs';

const root = dirname(import.meta.dirname);
// node-gyp builds below addon/, beside binding.gyp: in the package's own folder it would start at every install.
const compiled = join(root, 'addon', 'build', 'Release');
const stampFile = join(root, 'build', 'stamp');
const measurePrograms = ['gpu_measure', 'gpu_measure_faults'].map((name) => join(root, 'build', 'Release', name));
const sourceFolders = [
  'addon',
  'core',
  'cpu',
  'cuda',
  'known-answers',
  'measure',
  'nvml',
  'scripts',
  'test-build',
  'test/native',
];

function fail(sentence) {
  console.error(`native-probes: ${sentence}`);
  process.exit(1);
}

function sourcesIn(folder) {
  const entries = readdirSync(join(root, folder), { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.includes(join(root, 'addon', 'build')));
  return files.map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

/** Changes when anything that the build depends on does. */
function stamp(compiler) {
  const cuda = hasCudaToolchain() ? cudaToolchain().folder : 'no kernels';
  const hash = createHash('sha256').update(`${process.version} ${process.arch} ${compiler} ${cuda}`);
  for (const file of sourceFolders.flatMap(sourcesIn).sort())
    hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function isUpToDate(wanted) {
  if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== wanted) return false;
  return [false, true].every((test) => existsSync(addonPath({ test, mustExist: false })));
}

function findOnPath(names) {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return names.find((name) => folders.some((folder) => existsSync(join(folder, name))));
}

function findCompiler() {
  const compiler = process.env.CXX ?? findOnPath(['g++', 'c++', 'clang++']);
  if (!compiler) fail('no C++17 compiler found: install one (Debian: apt-get install g++ make) and run this again.');
  return compiler;
}

function requireTools() {
  if (!findOnPath(['make'])) fail('no "make" found: install it (Debian: apt-get install make) and run this again.');
  if (!findOnPath(['python3', 'python']))
    fail('no Python 3 found: install it (Debian: apt-get install python3) and run this again.');
}

function findNodedir() {
  const nodedir = process.env.SENTINEL_NODEDIR ?? dirname(dirname(realpathSync(process.execPath)));
  if (!existsSync(join(nodedir, 'include', 'node', 'node_api.h'))) {
    fail(
      `no Node headers in ${join(nodedir, 'include', 'node')}: set SENTINEL_NODEDIR to a folder that has include/node/node_api.h.`,
    );
  }
  return nodedir;
}

/**
 * The same folder under a name that a makefile can hold: node-gyp writes the include paths unquoted, so that a clone in
 * "my files/" would not compile.
 */
function withPlainPath(folder, use) {
  if (/^[\w./+-]+$/.test(folder)) return use(folder);
  const aliases = mkdtempSync(join(tmpdir(), 'sentinel-headers-'));
  try {
    symlinkSync(folder, join(aliases, 'node'));
    return use(join(aliases, 'node'));
  } finally {
    rmSync(aliases, { recursive: true });
  }
}

/** Runs node-gyp; returns its exit status and the error that kept it from starting. */
function runNodeGyp(compiler, nodedir) {
  const nodeGyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
  const options = [
    `--nodedir=${nodedir}`,
    `--directory=${join(root, 'addon')}`,
    `--jobs=${availableParallelism()}`,
    '--loglevel=warn',
  ];
  return spawnSync(process.execPath, [nodeGyp, 'rebuild', ...options], {
    stdio: ['ignore', 'inherit', 'inherit'],
    // The variable, which the set-up exports, would win over the flag.
    env: { ...process.env, CXX: compiler, npm_config_nodedir: nodedir },
  });
}

async function addKernels() {
  writeInstructionsHeader(root, ARCHITECTURES);
  const kernels = await embedKernels(root).catch((error) => fail(`a kernel does not compile for ${error.message}`));
  if (!kernels)
    console.log('native-probes: built for CPUs only; "npm run cuda" and another build add the GPU kernels.');
}

/** fail() ends the process, so it comes after the alias is gone. */
function compile(compiler, nodedir) {
  const { status, error } = withPlainPath(nodedir, (headers) => runNodeGyp(compiler, headers));
  if (error) fail(`node-gyp did not start: ${error.message}`);
  if (status !== 0)
    fail(`the compiler "${compiler}" could not build the probes (exit ${status}); its messages are above.`);
}

/** A process that runs keeps the file that it has loaded: the new one takes its name, not its place. */
function publish(target) {
  mkdirSync(dirname(target), { recursive: true });
  const copy = `${target}.${process.pid}`;
  copyFileSync(join(compiled, basename(target)), copy);
  renameSync(copy, target);
}

const compiler = findCompiler();
const wanted = stamp(compiler);
if (!process.argv.includes('--force') && isUpToDate(wanted)) {
  console.log('native-probes: up to date');
} else {
  requireTools();
  const nodedir = findNodedir();
  rmSync(stampFile, { force: true });
  writeKnownAnswersHeader(root);
  await addKernels();
  compile(compiler, nodedir);
  for (const test of [false, true]) publish(addonPath({ test, mustExist: false }));
  for (const program of measurePrograms) publish(program);
  writeFileSync(stampFile, wanted);
}

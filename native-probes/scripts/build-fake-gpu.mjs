// Builds the fake GPU of the tests: build/fake-gpu/libcuda.so.1, which no release contains. Compiles what has changed
// alone; several processes may ask for it at once.
//   CXX  another C++17 compiler (default: g++)
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'build', 'fake-gpu');
// Another process may still link or copy what it has just made.
const KEPT_MS = 600_000;
const compiler = process.env.CXX ?? 'g++';

// Every x86-64 CPU since 2013 has these instructions; rounding must be that of each operation alone.
const FLAGS = ['-std=c++17', '-O2', '-fPIC', '-fvisibility=hidden', '-ffp-contract=off', '-fno-strict-aliasing'];
const INSTRUCTIONS = ['-mavx2', '-mfma', '-mf16c', '-mbmi2', '-mlzcnt', '-mpopcnt'];
const WARNINGS = [
  '-Wall',
  '-Wextra',
  '-Wno-unused-parameter',
  '-Wno-missing-field-initializers',
  '-Wno-unknown-pragmas',
];
// Its own <device.h> and <device_mma.h>, the release's <result_tap.h>; the test build's kernels have a tap of their own.
const INCLUDES = ['test/fake-gpu/device', 'cuda'];
const TEST_KERNELS = { unit: 'test_kernels.cpp', include: 'test-build/cuda' };

/** x86-64 Linux alone has its fibers. */
export const canBuildFakeGpu = process.platform === 'linux' && process.arch === 'x64';

const filesOf = (name, pattern) =>
  readdirSync(join(root, name), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

const units = () => filesOf('test/fake-gpu', /\.cpp$/);
const headers = () => filesOf('test/fake-gpu', /\.h$/);
const kernelSources = () => ['core', 'cuda', 'test-build'].flatMap((name) => filesOf(name, /\.(h|cu)$/));

/** Arguments of the compiler for each unit: where it looks for <device.h> and the like, and the unit. */
export const fakeSources = () =>
  units().map((unit) => {
    const folders = unit.endsWith(TEST_KERNELS.unit) ? [TEST_KERNELS.include, ...INCLUDES] : INCLUDES;
    return [...folders.map((folder) => `-I${join(root, folder)}`), unit];
  });

function key(...parts) {
  const hash = createHash('sha256').update(JSON.stringify([compiler, FLAGS, INSTRUCTIONS]));
  for (const part of parts) hash.update('\0').update(part);
  return hash.digest('hex').slice(0, 16);
}

async function run(args) {
  const child = spawn(compiler, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const status = await new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve));
  if (status !== 0) throw new Error(`the fake GPU does not compile: ${compiler} ${args.join(' ')}`);
}

/** Under another name first: the target is there complete or not at all. */
async function make(target, args) {
  if (existsSync(target)) return;
  const work = mkdtempSync(join(folder, 'work-'));
  try {
    await run([...args, '-o', join(work, basename(target))]);
    renameSync(join(work, basename(target)), target);
  } finally {
    rmSync(work, { recursive: true });
  }
}

const uses = (unit) => [unit, ...headers(), ...(unit.endsWith('_kernels.cpp') ? kernelSources() : [])];

async function compileAll(jobs) {
  const waiting = [...jobs];
  const work = async () => {
    for (let job = waiting.pop(); job !== undefined; job = waiting.pop()) await make(job.object, job.args);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
}

function removeOlder(current) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const isOld = statSync(path).mtimeMs < Date.now() - KEPT_MS;
    if (isOld && !current.includes(path)) rmSync(path, { recursive: true, force: true });
  }
}

/** @returns path of the library */
export async function buildFakeGpu() {
  mkdirSync(folder, { recursive: true });
  const jobs = fakeSources().map((args) => {
    const unit = args.at(-1);
    return {
      object: join(folder, `${basename(unit, '.cpp')}-${key(...uses(unit).map((file) => readFileSync(file)))}.o`),
      args: [...FLAGS, ...INSTRUCTIONS, ...WARNINGS, '-c', ...args],
    };
  });
  const objects = jobs.map(({ object }) => object);
  const built = join(folder, key(...objects));
  const library = join(built, 'libcuda.so.1');
  if (!existsSync(library)) {
    await compileAll(jobs);
    mkdirSync(built, { recursive: true });
    await make(library, ['-shared', '-Wl,--no-undefined', ...objects, '-ldl']);
    removeOlder([built, ...objects]);
  }
  return library;
}

if (process.argv[1] === import.meta.filename) console.log(await buildFakeGpu());

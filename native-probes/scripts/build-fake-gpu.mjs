// Builds the fake GPU of the tests: build/fake-gpu/libcuda.so.1, which no release contains. Does nothing when it is built
// from these sources already. Several processes may ask for it at once.
//   CXX  another C++17 compiler (default: g++)
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const sources = join(root, 'test', 'fake-gpu');
const folder = join(root, 'build', 'fake-gpu');
const stampFile = join(folder, 'stamp');
const compiler = process.env.CXX ?? 'g++';

export const library = join(folder, 'libcuda.so.1');

// Every x86-64 CPU since 2013 has these; rounding must be that of each operation alone.
const FLAGS = ['-std=c++17', '-O2', '-fPIC', '-fvisibility=hidden', '-ffp-contract=off', '-fno-strict-aliasing'];
const INSTRUCTIONS = ['-mavx2', '-mfma', '-mf16c', '-mbmi2', '-mlzcnt', '-mpopcnt'];
const WARNINGS = [
  '-Wall',
  '-Wextra',
  '-Wno-unused-parameter',
  '-Wno-missing-field-initializers',
  '-Wno-unknown-pragmas',
];
const INCLUDE = `-I${join(sources, 'device')}`;

/** x86-64 Linux alone has its fibers. */
export const canBuildFakeGpu = process.platform === 'linux' && process.arch === 'x64';

function filesOf(name) {
  const entries = readdirSync(join(root, name), { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

const units = () => filesOf('test/fake-gpu').filter((file) => file.endsWith('.cpp'));

/** Arguments of the compiler: where it looks for <device.h>, and all units. */
export const fakeSources = () => [INCLUDE, ...units()];

function stamp() {
  const hash = createHash('sha256').update(compiler);
  for (const file of [...['core', 'cuda', 'test/fake-gpu'].flatMap(filesOf), import.meta.filename].sort())
    hash.update(`\0${file}\0`).update(readFileSync(file));
  return hash.digest('hex');
}

async function run(args) {
  const child = spawn(compiler, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const status = await new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve));
  if (status !== 0) throw new Error(`the fake GPU does not compile: ${compiler} ${args.join(' ')}`);
}

async function compile(wanted) {
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, 'work-'));
  try {
    const objects = units().map((file) => join(work, `${basename(file)}.o`));
    await Promise.all(
      units().map((file, i) => run([...FLAGS, ...INSTRUCTIONS, ...WARNINGS, INCLUDE, '-c', file, '-o', objects[i]])),
    );
    const linked = join(work, 'libcuda.so.1');
    await run(['-shared', '-Wl,--no-undefined', ...objects, '-ldl', '-o', linked]);
    renameSync(linked, library);
    writeFileSync(stampFile, wanted);
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** @returns path of the library */
export async function buildFakeGpu() {
  const wanted = stamp();
  if (!existsSync(library) || !existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== wanted)
    await compile(wanted);
  return library;
}

if (process.argv[1] === import.meta.filename) console.log(await buildFakeGpu());

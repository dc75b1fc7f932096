// What the machine must bring along; asked before anything is downloaded.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { SetupError } from './setup-error.mjs';

/** Bytes that a first set-up writes into the clone and pnpm's store, rounded up (measured: docs/performance.md). */
const SETUP_BYTES = 2 * 1024 ** 3;

const CPP17 = 'static_assert(__cplusplus >= 201703L, "C++17");\n#include <charconv>\nint main() {}\n';

/** @throws {SetupError} when the native probes could not be compiled here */
export function requireCompiler(env = process.env) {
  const compilers = env.CXX ? [env.CXX] : ['c++', 'g++', 'clang++'];
  if (!compilers.some((compiler) => compilesCpp17(compiler, env))) {
    throw new SetupError(
      `No C++17 compiler works here (tried ${compilers.join(', ')}): install one, for example with "apt-get install g++ make", and run this again.`,
    );
  }
  if (!runs('make', ['--version'], env)) {
    throw new SetupError(
      'There is no make here: install it, for example with "apt-get install make", and run this again.',
    );
  }
}

/** @throws {SetupError} when node-gyp would find no Python */
export function requirePython(env = process.env) {
  const pythons = env.PYTHON ? [env.PYTHON] : ['python3', 'python'];
  const check = ['-c', 'import sys; sys.exit(sys.version_info < (3, 8))'];
  if (!pythons.some((python) => runs(python, check, env))) {
    throw new SetupError(
      `No Python 3.8 or newer works here (tried ${pythons.join(', ')}), and compiling the probes needs it: install it, for example with "apt-get install python3", and run this again.`,
    );
  }
}

/** @throws {SetupError} when a first set-up would fill the disk */
export function requireSpace(folder, freeBytes = freeBytesAt) {
  const free = freeBytes(folder);
  if (free < SETUP_BYTES) {
    const mb = (bytes) => Math.round(bytes / 1024 ** 2);
    throw new SetupError(
      `The disk that holds ${folder} has ${mb(free)} MB free and setting up needs ${mb(SETUP_BYTES)} MB: free some space and run this again.`,
    );
  }
}

function compilesCpp17(compiler, env) {
  return runs(compiler, ['-std=c++17', '-fsyntax-only', '-x', 'c++', '-'], env, CPP17);
}

function runs(command, args, env, input = '') {
  return spawnSync(command, args, { env, input, stdio: ['pipe', 'ignore', 'ignore'] }).status === 0;
}

function freeBytesAt(folder) {
  if (!fs.statfsSync) return Number.POSITIVE_INFINITY; // Node before 18.15 cannot ask
  const { bavail, bsize } = fs.statfsSync(folder);
  return bavail * bsize;
}

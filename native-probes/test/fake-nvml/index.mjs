// Builds the fake NVML of the tests: build/fake-nvml/libnvidia-ml.so.1, which no release contains; nvml.cpp says what it
// is told. `old` = one that lacks the functions that came last.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const compiler = process.env.CXX ?? 'g++';
const UNITS = ['test/fake-nvml/nvml.cpp', 'test/fake-gpu/config.cpp'];
const HEADERS = ['nvml/api.h', 'test/fake-gpu/config.h'];

function stamp() {
  const hash = createHash('sha256').update(compiler);
  for (const file of [...UNITS, ...HEADERS]) hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  return hash.update(readFileSync(import.meta.filename)).digest('hex');
}

/** @returns path of the library. Several processes may ask for it at once. */
export function buildFakeNvml({ old = false } = {}) {
  const folder = join(root, 'build', old ? 'fake-nvml-old' : 'fake-nvml');
  const library = join(folder, 'libnvidia-ml.so.1');
  const stampFile = join(folder, 'stamp');
  const wanted = stamp();
  if (existsSync(library) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted) return library;
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, 'work-'));
  const linked = join(work, 'libnvidia-ml.so.1');
  const flags = ['-std=c++17', '-O1', '-fPIC', '-shared', '-fvisibility=hidden', '-Wall', '-Wextra'];
  const variant = old ? ['-DSENTINEL_FAKE_OLD_DRIVER'] : [];
  try {
    const { status, stderr } = spawnSync(compiler, [...flags, ...variant, ...UNITS, '-ldl', '-o', linked], {
      cwd: root,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`the fake NVML does not compile: ${stderr}`);
    renameSync(linked, library);
    writeFileSync(stampFile, wanted);
  } finally {
    rmSync(work, { recursive: true });
  }
  return library;
}

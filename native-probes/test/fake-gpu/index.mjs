// A machine with GPUs for tests: a folder with the fake driver and what it is told, and the environment in which a
// process finds it. Faults are those of faults.h.
import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { buildFakeGpu, canBuildFakeGpu } from '../../scripts/build-fake-gpu.mjs';

export { canBuildFakeGpu };

const CONFIGURATION = 'fake-gpu.conf';

function entry(word, values) {
  const pairs = Object.entries(values).filter(([, value]) => value !== undefined);
  return [word, ...pairs.map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`)].join(' ');
}

function configuration({ devices = [{}], faults = [], driver, entries = [] }) {
  const lines = [
    ...(driver === undefined ? [] : [entry('driver', driver)]),
    ...devices.map((device) => entry('device', device)),
    ...faults.map((fault) => entry('fault', fault)),
    ...entries.map(({ word, ...values }) => entry(word, values)),
  ];
  return `${lines.join('\n')}\n`;
}

/** See index.d.ts. */
export async function fakeGpu(machine = {}, libraries = []) {
  const built = [await buildFakeGpu(), ...libraries];
  const folder = mkdtempSync(join(tmpdir(), 'sentinel-fake-gpu-'));
  const configure = (next) => {
    // A process that reads meanwhile sees the old machine or the new one.
    writeFileSync(join(folder, `${CONFIGURATION}.next`), configuration(next));
    renameSync(join(folder, `${CONFIGURATION}.next`), join(folder, CONFIGURATION));
  };
  for (const library of built) copyFileSync(library, join(folder, basename(library)));
  configure(machine);
  return {
    folder,
    env: { LD_LIBRARY_PATH: folder },
    configure,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

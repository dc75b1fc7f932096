// The compiler of the GPU kernels and their disassembler: NVIDIA's wheels from PyPI, pinned by version and hash in
// cuda-requirements.txt, below the clone's ignored folder. As a command (`npm run cuda`) it installs them.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = dirname(import.meta.dirname);
const requirements = join(import.meta.dirname, 'cuda-requirements.txt');

/**
 * Where the toolchain is, or will be: one folder per set of pins.
 * @returns {{ folder: string, nvrtc: string, nvdisasm: string, cuobjdump: string }}
 */
export function cudaToolchain() {
  const pins = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const folder = join(dirname(root), '.sentinel', 'cuda', pins);
  const nvidia = join(folder, 'nvidia');
  return {
    folder,
    nvrtc: join(nvidia, 'cuda_nvrtc', 'lib', 'libnvrtc.so.12'),
    nvdisasm: join(nvidia, 'cu13', 'bin', 'nvdisasm'),
    cuobjdump: join(nvidia, 'cu13', 'bin', 'cuobjdump'),
  };
}

/** Its folder appears by one rename: it is there complete or not at all. */
export function hasCudaToolchain() {
  return existsSync(cudaToolchain().folder);
}

function pip(target) {
  const options = ['--quiet', '--no-deps', '--no-cache-dir', '--only-binary=:all:', '--require-hashes'];
  const args = ['-m', 'pip', 'install', ...options, '--target', target, '--requirement', requirements];
  return spawnSync('python3', args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, PIP_ROOT_USER_ACTION: 'ignore' },
  });
}

function install() {
  const { folder } = cudaToolchain();
  const partial = `${folder}.${process.pid}.partial`;
  mkdirSync(dirname(folder), { recursive: true });
  try {
    const { status } = pip(partial);
    if (status !== 0) return false;
    if (!hasCudaToolchain()) renameSync(partial, folder);
    return true;
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

if (import.meta.filename === process.argv[1]) {
  if (hasCudaToolchain()) console.log('cuda: the toolchain is installed');
  else if (install()) console.log(`cuda: installed in ${cudaToolchain().folder}; the next build adds the GPU kernels.`);
  else {
    console.error('cuda: "python3 -m pip" could not install the pinned wheels (Debian: apt-get install python3-pip).');
    process.exitCode = 1;
  }
}

// cuda/kernels.cu -> build/cubins/ARCHITECTURE.cubin with NVRTC, and the source file that makes them part of the addon.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { cudaToolchain, hasCudaToolchain } from './cuda-toolchain.mjs';

/** Real architectures only. Those with an "a" run on that compute capability alone, the others on later minors as well. */
export const ARCHITECTURES = ['sm_80', 'sm_86', 'sm_89', 'sm_90a', 'sm_100a', 'sm_120a'];

const OPTIONS = ['--std=c++17', '--device-int128', '--device-as-default-execution-space'];
const SOURCE = 'cuda/kernels.cu';
const INCLUDE_FOLDERS = ['cuda', 'cuda/nvrtc'];
const INCLUDE = /^\s*#\s*include\s*[<"]([^>"]+)[>"]/gm;

/** The file with everything that it includes, directly or not, relative to the root. */
function sourcesOf(root, file, found = new Set()) {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, name] of readFileSync(join(root, file), 'utf8').matchAll(INCLUDE)) {
    const places = [dirname(file), ...INCLUDE_FOLDERS].map((folder) => join(folder, name));
    const included = places.find((place) => existsSync(join(root, place)));
    if (included) sourcesOf(root, included, found);
  }
  return found;
}

/** Changes when anything that a cubin depends on does. */
function contentKey(root) {
  const hash = createHash('sha256').update(JSON.stringify([OPTIONS, basename(cudaToolchain().folder)]));
  for (const file of [...sourcesOf(root, SOURCE), 'scripts/nvrtc.py'])
    hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  return hash.digest('hex').slice(0, 16);
}

/**
 * Compiles one architecture. A remark is an error: ptxas only remarks that it makes matrix multiplications wait for each other.
 * @throws {Error} with the compiler's messages, which name file and line
 */
export function compileCubin(root, architecture, output) {
  const { nvrtc } = cudaToolchain();
  const partial = `${output}.${process.pid}`;
  const args = [join(root, 'scripts', 'nvrtc.py'), nvrtc, SOURCE, partial, `--gpu-architecture=${architecture}`];
  return new Promise((resolve, reject) => {
    const includes = INCLUDE_FOLDERS.map((folder) => `-I${folder}`);
    const child = spawn('python3', [...args, ...OPTIONS, ...includes], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    let messages = '';
    child.stderr.on('data', (chunk) => {
      messages += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code !== 0 || messages !== '') return reject(new Error(`${architecture}: ${messages}`));
      renameSync(partial, output);
      resolve();
    });
  });
}

async function inParallel(items, run) {
  const waiting = [...items];
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await run(item);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

/** Compiles what is not there yet into the folder of the cubins of these sources. */
async function buildCubins(root, folder) {
  mkdirSync(folder, { recursive: true });
  const path = (architecture) => join(folder, `${architecture}.cubin`);
  await inParallel(
    ARCHITECTURES.filter((architecture) => !existsSync(path(architecture))),
    (architecture) => compileCubin(root, architecture, path(architecture)),
  );
}

/** Folder of the cubins of these sources. @param {string} root the package's folder */
export const cubinFolder = (root) => join(root, 'build', 'cubins', contentKey(root));

/** Assembler includes the bytes as they are. Paths are relative to addon/build, where node-gyp runs the compiler. */
function embedding(key) {
  const labels = ARCHITECTURES.map((architecture) => {
    const symbol = `sentinel_cubin_${architecture}`;
    return [
      `asm(".section .rodata\\n.balign 64\\n${symbol}:\\n.incbin \\"../../build/cubins/${key}/${architecture}.cubin\\"\\n"`,
      `    "${symbol}_end:\\n.byte 0\\n.previous\\n");`,
      `extern "C" __attribute__((visibility("hidden"))) const unsigned char ${symbol}[], ${symbol}_end[];`,
    ].join('\n');
  });
  const rows = ARCHITECTURES.map((architecture) => {
    const [, major, minor] = /^sm_(\d+)(\d)a?$/.exec(architecture);
    const symbol = `sentinel_cubin_${architecture}`;
    return `    {"${architecture}", ${major}, ${minor}, ${symbol}, static_cast<size_t>(${symbol}_end - ${symbol})},`;
  });
  return [...labels, 'static const sentinel::EmbeddedKernels kEmbedded[] = {', ...rows, '};', ''].join('\n');
}

const NOTHING = 'static const sentinel::EmbeddedKernels* const kEmbedded = nullptr;\n';

/**
 * Writes build/generated/embedded_kernels.inc; before that, with the CUDA toolchain, the cubins that it embeds.
 * @param {string} root the package's folder
 * @returns {Promise<boolean>} whether there are kernels
 */
export async function embedKernels(root) {
  const kernels = hasCudaToolchain();
  const key = kernels ? contentKey(root) : undefined;
  if (kernels) {
    await buildCubins(root, cubinFolder(root));
    removeOthers(join(root, 'build', 'cubins'), key);
  }
  const generated = join(root, 'build', 'generated');
  mkdirSync(generated, { recursive: true });
  const head = '// Generated by scripts/cubins.mjs.\n';
  const count = `constexpr size_t kEmbeddedCount = ${kernels ? ARCHITECTURES.length : 0};\n`;
  writeFileSync(join(generated, 'embedded_kernels.inc'), head + (kernels ? embedding(key) : NOTHING) + count);
  return kernels;
}

function removeOthers(folder, key) {
  for (const name of readdirSync(folder)) if (name !== key) rmSync(join(folder, name), { recursive: true });
}

// cuda/kernels.cu -> build/cubins/KEY/ARCHITECTURE.cubin with NVRTC, and the source files that make them part of the addons:
// those of the release, and those of the test build, whose results pass a tap that can falsify them.
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
const INCLUDE = /^\s*#\s*include\s*([<"])([^>"]+)[>"]/gm;

/**
 * Which kernels: `includes`: where the compiler looks for <result_tap.h> and the like, in this order; `name`: of the folder of
 * the generated source file.
 */
export const RELEASE = { name: 'release', includes: ['cuda', 'cuda/nvrtc'] };
export const TEST = { name: 'test', includes: ['test-build/cuda', ...RELEASE.includes] };
const VARIANTS = [RELEASE, TEST];

/** The file with everything that it includes, directly or not, relative to the root. */
function sourcesOf(root, includes, file, found = new Set()) {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, bracket, name] of readFileSync(join(root, file), 'utf8').matchAll(INCLUDE)) {
    const folders = bracket === '"' ? [dirname(file), ...includes] : includes;
    const included = folders.map((folder) => join(folder, name)).find((place) => existsSync(join(root, place)));
    if (included) sourcesOf(root, includes, included, found);
  }
  return found;
}

/** Changes when anything that a cubin depends on does. */
function contentKey(root, { includes }) {
  const hash = createHash('sha256').update(JSON.stringify([OPTIONS, includes, basename(cudaToolchain().folder)]));
  for (const file of [...sourcesOf(root, includes, SOURCE), 'scripts/nvrtc.py'])
    hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  return hash.digest('hex').slice(0, 16);
}

/**
 * Compiles one architecture. A remark is an error: ptxas only remarks that it makes matrix multiplications wait for each other.
 * @throws {Error} with the compiler's messages, which name file and line
 */
export function compileCubin(root, architecture, output, { includes } = RELEASE) {
  const { nvrtc } = cudaToolchain();
  const partial = `${output}.${process.pid}`;
  const args = [join(root, 'scripts', 'nvrtc.py'), nvrtc, SOURCE, partial, `--gpu-architecture=${architecture}`];
  return new Promise((resolve, reject) => {
    const folders = includes.map((folder) => `-I${folder}`);
    const child = spawn('python3', [...args, ...OPTIONS, ...folders], {
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

/** Compiles what is not there yet into the folders of the cubins of these sources. */
async function buildCubins(root) {
  const jobs = VARIANTS.flatMap((variant) => {
    const folder = cubinFolder(root, variant);
    mkdirSync(folder, { recursive: true });
    return ARCHITECTURES.map((architecture) => ({
      variant,
      architecture,
      path: join(folder, `${architecture}.cubin`),
    }));
  });
  await inParallel(
    jobs.filter(({ path }) => !existsSync(path)),
    ({ variant, architecture, path }) => compileCubin(root, architecture, path, variant),
  );
}

/** Folder of the cubins of these sources. @param {string} root the package's folder */
export const cubinFolder = (root, variant = RELEASE) => join(root, 'build', 'cubins', contentKey(root, variant));

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
 * Writes build/generated/VARIANT/embedded_kernels.inc; before that, with the CUDA toolchain, the cubins that it embeds.
 * @param {string} root the package's folder
 * @returns {Promise<boolean>} whether there are kernels
 */
export async function embedKernels(root) {
  const kernels = hasCudaToolchain();
  if (kernels) {
    await buildCubins(root);
    const keys = VARIANTS.map((variant) => contentKey(root, variant));
    removeOthers(join(root, 'build', 'cubins'), keys);
  }
  for (const variant of VARIANTS) {
    const generated = join(root, 'build', 'generated', variant.name);
    mkdirSync(generated, { recursive: true });
    const head = '// Generated by scripts/cubins.mjs.\n';
    const count = `constexpr size_t kEmbeddedCount = ${kernels ? ARCHITECTURES.length : 0};\n`;
    const content = kernels ? embedding(contentKey(root, variant)) : NOTHING;
    writeFileSync(join(generated, 'embedded_kernels.inc'), head + content + count);
  }
  return kernels;
}

function removeOthers(folder, keys) {
  for (const name of readdirSync(folder)) if (!keys.includes(name)) rmSync(join(folder, name), { recursive: true });
}

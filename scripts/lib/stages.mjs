// The stages of set-up after the toolchain: what each reads, what must lie there afterwards, and how it is run.
import fs from 'node:fs';
import path from 'node:path';
import { toolEnvironment } from './environment.mjs';
import { ROOT, SETUP_LOGS } from './paths.mjs';
import { pruneStale } from './prune-stale.mjs';
import { runStep } from './run-step.mjs';
import { contentHash, filesBelow, statHash } from './stamps.mjs';

/**
 * @typedef {object} Stage
 * @property {string} name of the stamp
 * @property {string} text for the progress line
 * @property {() => string} fingerprint of everything the stage reads
 * @property {() => string[]} outputs that must exist, relative to the root
 * @property {() => Promise<void>} run
 */

const SOURCE_FOLDERS = ['packages', 'tests', 'native-probes'];
const CUDA_FOLDER = '.sentinel/cuda';
const isTypeScript = (name) => /\.tsx?$|^tsconfig.*\.json$|^package\.json$/.test(name);

/**
 * @param {import('./toolchain.mjs').Toolchain} toolchain
 * @param {NodeJS.ProcessEnv} [world] CI=true wants the GPU kernels; elsewhere they are built once `npm run cuda` was
 * @returns {{ install: Stage, generate: Stage, compile: Stage, native: Stage, cuda?: Stage }}
 */
export function stagesFor(toolchain, world = process.env) {
  const salt = `${ROOT}\0${toolchain.node}\0${toolchain.version}`;
  const env = toolEnvironment(process.env, toolchain, ROOT);
  const tool = (step, log, args, cwd = ROOT) =>
    runStep({ step, command: toolchain.node, args, cwd, env, log: path.join(SETUP_LOGS, `${log}.log`) });
  const pnpm = (step, log, ...args) => tool(step, log, [toolchain.pnpm, ...args]);
  const cuda = {
    name: 'cuda',
    text: 'Getting the CUDA compiler',
    fingerprint: () => contentHash(ROOT, ['native-probes/scripts/cuda-requirements.txt'], salt),
    outputs: () => [CUDA_FOLDER],
    run: () => tool('installing the CUDA compiler', 'cuda', ['native-probes/scripts/cuda-toolchain.mjs']),
  };
  const stages = {
    install: {
      name: 'install',
      text: 'Installing the packages of pnpm-lock.yaml',
      fingerprint: () => contentHash(ROOT, installInputs(), salt),
      outputs: () => ['node_modules/.modules.yaml'],
      run: () =>
        pnpm(
          'installing packages',
          'install',
          'install',
          '--frozen-lockfile',
          '--prod=false',
          '--config.confirmModulesPurge=false',
        ),
    },
    generate: {
      name: 'generate',
      text: 'Generating the wire contract',
      fingerprint: () =>
        statHash(
          ROOT,
          [...filesBelow(ROOT, ['proto'], () => true), 'packages/contracts/buf.gen.yaml', 'pnpm-lock.yaml'],
          salt,
        ),
      outputs: () => ['packages/contracts/src/gen', 'packages/contracts/descriptor.binpb'],
      run: () => pnpm('generating the wire contract', 'generate', '--filter', '@sentinel/contracts', 'run', 'generate'),
    },
    compile: {
      name: 'compile',
      text: 'Compiling TypeScript',
      fingerprint: () =>
        statHash(
          ROOT,
          [
            ...filesBelow(ROOT, SOURCE_FOLDERS, isTypeScript),
            ...filesBelow(ROOT, ['proto'], () => true),
            'tsconfig.json',
            'tsconfig.base.json',
            'pnpm-lock.yaml',
          ],
          salt,
        ),
      outputs: () => projectFolders().map((folder) => path.join(folder, 'dist', '.tsbuildinfo')),
      async run() {
        for (const folder of projectFolders())
          pruneStale(path.join(ROOT, sourceFolder(folder)), path.join(ROOT, folder, 'dist'));
        await tool('compiling TypeScript', 'compile', [
          path.join(ROOT, 'node_modules/typescript/bin/tsc'),
          '-b',
          '--pretty',
          'false',
        ]);
      },
    },
    native: {
      name: 'native',
      text: 'Compiling the native probes',
      fingerprint: () =>
        statHash(
          ROOT,
          [...filesBelow(ROOT, ['native-probes'], (name) => !/\.(ts|md|tsbuildinfo)$/.test(name)), 'pnpm-lock.yaml'],
          `${salt}\0${cudaToolchains()}`,
        ),
      outputs: () => ['native-probes/build/Release'],
      run: () =>
        pnpm('compiling the native probes', 'native', '--filter', '@sentinel/native-probes', 'run', 'build:native'),
    },
  };
  return world.CI === 'true' ? { ...stages, cuda } : stages;
}

/** Names of those that are installed, complete: each is named after its pins. */
function cudaToolchains() {
  const folder = path.join(ROOT, CUDA_FOLDER);
  return fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => !name.endsWith('.partial')) : [];
}

/** The projects that the root tsconfig.json builds, relative to the root. */
function projectFolders() {
  const { references } = JSON.parse(fs.readFileSync(path.join(ROOT, 'tsconfig.json'), 'utf8'));
  return references.map((reference) => path.normalize(reference.path));
}

function sourceFolder(project) {
  const { compilerOptions } = JSON.parse(fs.readFileSync(path.join(ROOT, project, 'tsconfig.json'), 'utf8'));
  return path.join(project, compilerOptions.rootDir);
}

function installInputs() {
  const manifests = filesBelow(
    ROOT,
    ['packages', 'tests', 'native-probes', 'scripts'],
    (name) => name === 'package.json',
  );
  return ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests];
}

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { toolEnvironment } from './environment.mjs';
import { ROOT } from './paths.mjs';
import { testProjects } from './test-projects.mjs';
import { readResults, summarise } from './test-results.mjs';

// As URLs: NODE_OPTIONS is split at blanks.
const REPORTER = new URL('summary-reporter.mjs', import.meta.url).href;
const PRELOADED = ['plain-output.mjs', 'end-lingering.mjs'].map((name) => new URL(name, import.meta.url).href);
/** Starts the servers that tests ask for, each once in a run, and ends them with it. */
const BROKER = new URL('../../packages/test-kit/dist/servers/broker.js', import.meta.url).href;
/** The tests of the whole, which take as long as those of all packages together. */
const WHOLE = { name: '@sentinel/tests', folder: 'tests' };
/** Those of them that wait for downloads and compilers more than for a core: they run beside the packages. The rest measures how long things take. */
const BESIDE = ['foreign', 'inference', 'kubernetes', 'training'];
/** Which test files of the whole run; tests/package.json has all. */
const FILES_VARIABLE = 'SENTINEL_TEST_FILES';
/** Test files already run side by side within a package; packages follow each other, so that timings mean something on two cores. */
const PARALLEL_PACKAGES = 1;

/**
 * Runs every package's `test` target through nx and adds up what the runs reported.
 * @param {import('./toolchain.mjs').Toolchain} toolchain
 * @param {string[]} args more arguments for nx, for example `--projects=@sentinel/cli`
 * @param {{ root?: string, env?: NodeJS.ProcessEnv, output?: 'inherit' | 'ignore' }} [world]
 */
export async function runTests(toolchain, args, { root = ROOT, env = process.env, output = 'inherit' } = {}) {
  const results = fs.mkdtempSync(path.join(os.tmpdir(), 'sentinel-test-results-'));
  const { BROKER_VARIABLE, Broker } = await import(BROKER);
  const servers = new Broker();
  try {
    const { tested, untested } = testProjects(root);
    const run = { SENTINEL_TEST_RESULTS: results, [BROKER_VARIABLE]: await servers.listen() };
    const nx = (lane) => nxTest(toolchain, lane.args, { root, output, env: { ...env, ...run, ...lane.env } });
    const phases = args.length > 0 ? [[{ args }]] : phasesOf(tested, root);
    const exitCodes = [];
    for (const lanes of phases) exitCodes.push(...(await Promise.all(lanes.map(nx))));
    const exitCode = exitCodes.find((code) => code !== 0) ?? 0;
    const selected = args.length > 0 ? [] : [...tested, ...untested];
    return summarise(readResults(results), { projects: selected, exitCode, ci: env.CI === 'true' });
  } finally {
    await servers.close();
    fs.rmSync(results, { recursive: true, force: true });
  }
}

/** What runs one after the other, and in each of these what runs side by side. */
function phasesOf(tested, root) {
  if (!tested.includes(path.join(root, WHOLE.folder))) return [[{ args: [] }]];
  const compiled = path.join(root, WHOLE.folder, 'dist');
  const folders = fs
    .readdirSync(compiled, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  const whole = (names) => ({
    args: [`--projects=${WHOLE.name}`],
    env: { [FILES_VARIABLE]: names.map((name) => `dist/${name}/**/*.test.js`).join(' ') },
  });
  const isBeside = (name) => BESIDE.includes(name);
  return [
    [{ args: [`--exclude=${WHOLE.name}`] }, whole(folders.filter(isBeside))],
    [whole(folders.filter((name) => !isBeside(name)))],
  ];
}

function nxTest(toolchain, args, { root, env, output }) {
  const nx = path.join(root, 'node_modules/nx/dist/bin/nx.js');
  const flags = [
    'run-many',
    '-t',
    'test',
    '--output-style=static',
    '--skip-nx-cache',
    `--parallel=${PARALLEL_PACKAGES}`,
  ];
  const options = [
    ...PRELOADED.map((url) => `--import=${url}`),
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${REPORTER}`,
    '--test-reporter-destination=stderr', // it writes nothing there; Node cannot flush the null device
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(toolchain.node, [nx, ...flags, ...args], {
      cwd: root,
      env: { ...toolEnvironment(env, toolchain, root), NODE_OPTIONS: options.join(' ') },
      stdio: ['ignore', output, output],
    });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

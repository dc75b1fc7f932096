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
const PLAIN_OUTPUT = new URL('plain-output.mjs', import.meta.url).href;
/** Starts the servers that tests ask for, each once in a run, and ends them with it. */
const BROKER = new URL('../../packages/test-kit/dist/servers/broker.js', import.meta.url).href;
/**
 * The package whose tests take as long as all others together, mostly waiting for servers, clusters and downloads: it runs beside them.
 * The others follow each other, since their test files run side by side already.
 */
const BESIDE = { name: '@sentinel/tests', folder: 'tests' };
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
    const world = { root, output, env: { ...env, ...run } };
    const lanes = args.length > 0 ? [args] : lanesOf(tested, root);
    const exitCodes = await Promise.all(lanes.map((lane) => nxTest(toolchain, lane, world)));
    const exitCode = exitCodes.find((code) => code !== 0) ?? 0;
    const selected = args.length > 0 ? [] : [...tested, ...untested];
    return summarise(readResults(results), { projects: selected, exitCode, ci: env.CI === 'true' });
  } finally {
    await servers.close();
    fs.rmSync(results, { recursive: true, force: true });
  }
}

/** What runs side by side, as arguments of nx. */
function lanesOf(tested, root) {
  return tested.includes(path.join(root, BESIDE.folder))
    ? [[`--projects=${BESIDE.name}`], [`--exclude=${BESIDE.name}`]]
    : [[]];
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
    `--import=${PLAIN_OUTPUT}`,
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

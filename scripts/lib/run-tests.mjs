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
const PRELOADED = [new URL('plain-output.mjs', import.meta.url), new URL('end-lingering.mjs', import.meta.url)];
/** Starts the servers that tests ask for, each once in a run, and ends them with it. */
const BROKER = new URL('../../packages/test-kit/dist/servers/broker.js', import.meta.url).href;
/** The tests of the whole, which take as long as those of all packages together. */
const WHOLE = { name: '@sentinel/tests', folder: 'tests' };
/** Makes the images of containers, which is waiting for the most of it: it begins at once, beside the lanes. */
const IMAGES = { name: '@sentinel/scripts', folder: 'scripts' };
/** Folders of the whole whose tests follow each other, what takes longest first; those that no group names are the last. */
const GROUPS = [['inference'], ['compose'], ['foreign', 'kubernetes', 'training'], ['e2e']];
/** Which test files of the whole run; tests/package.json has all. */
const FILES_VARIABLE = 'SENTINEL_TEST_FILES';
/** What has not begun is taken by the first lane that is free, so that no core rests while one test waits. */
const LANES = 2;
/** Within a lane packages follow each other. */
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
    const nx = (each) => nxTest(toolchain, each.args, { root, output, env: { ...env, ...run, ...each.env } });
    const { beside, work } = args.length > 0 ? { beside: [], work: [{ args }] } : workOf(tested, root);
    const exitCodes = (await Promise.all([...beside.map(nx), inLanes(work, nx)])).flat();
    const exitCode = exitCodes.find((code) => code !== 0) ?? 0;
    const selected = args.length > 0 ? [] : [...tested, ...untested];
    return summarise(readResults(results), { projects: selected, exitCode, ci: env.CI === 'true' });
  } finally {
    await servers.close();
    fs.rmSync(results, { recursive: true, force: true });
  }
}

/** Runs of nx: those that begin at once, and those that the lanes take, in this order. */
function workOf(tested, root) {
  const isTested = ({ folder }) => tested.includes(path.join(root, folder));
  if (!isTested(WHOLE)) return { beside: [], work: [{ args: [] }] };
  const all = foldersIn(path.join(root, WHOLE.folder, 'dist'));
  const rest = all.filter((name) => !GROUPS.flat().includes(name));
  const groups = [...GROUPS, rest].map((names) => names.filter((name) => all.includes(name)));
  const apart = [WHOLE, IMAGES].filter(isTested).map(({ name }) => name);
  return {
    beside: isTested(IMAGES) ? [{ args: [`--projects=${IMAGES.name}`] }] : [],
    work: [{ args: [`--exclude=${apart.join()}`] }, ...groups.flatMap(partOfWhole)],
  };
}

function partOfWhole(folders) {
  if (folders.length === 0) return [];
  const files = folders.map((name) => `dist/${name}/**/*.test.js`);
  return [{ args: [`--projects=${WHOLE.name}`], env: { [FILES_VARIABLE]: files.join(' ') } }];
}

function foldersIn(folder) {
  const entries = fs.readdirSync(folder, { withFileTypes: true });
  return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}

async function inLanes(work, run) {
  const results = [];
  const waiting = work.values();
  const lane = async () => {
    for (const each of waiting) results.push(await run(each));
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return results;
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
    ...PRELOADED.map(({ href }) => `--import=${href}`),
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

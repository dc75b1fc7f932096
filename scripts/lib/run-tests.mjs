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
/** The other project that needs Docker, whose images it makes. */
const SCRIPTS = { name: '@sentinel/scripts', folder: 'scripts' };
/** Folders of the whole whose tests follow each other, what takes longest first; those that no group names are the last. */
const GROUPS = [
  { folders: ['inference'], after: null },
  { folders: ['compose'], after: SCRIPTS },
  { folders: ['foreign', 'kubernetes', 'training'], after: null },
];
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
    const nx = (step) => nxTest(toolchain, step.args, { root, output, env: { ...env, ...run, ...step.env } });
    const exitCodes = await inLanes(args.length > 0 ? [[{ args }]] : workOf(tested, root), nx);
    const exitCode = exitCodes.find((code) => code !== 0) ?? 0;
    const selected = args.length > 0 ? [] : [...tested, ...untested];
    return summarise(readResults(results), { projects: selected, exitCode, ci: env.CI === 'true' });
  } finally {
    await servers.close();
    fs.rmSync(results, { recursive: true, force: true });
  }
}

/** What the lanes take, in this order: runs of nx that follow each other. */
function workOf(tested, root) {
  const isTested = ({ folder }) => tested.includes(path.join(root, folder));
  if (!isTested(WHOLE)) return [[{ args: [] }]];
  const all = foldersIn(path.join(root, WHOLE.folder, 'dist'));
  const apart = [WHOLE, SCRIPTS].filter(isTested);
  const rest = all.filter((name) => !GROUPS.some(({ folders }) => folders.includes(name)));
  const groups = [...GROUPS, { folders: rest, after: null }].map(({ folders, after }) => [
    ...(after !== null && isTested(after) ? [{ args: [`--projects=${after.name}`] }] : []),
    ...partOfWhole(folders.filter((name) => all.includes(name))),
  ]);
  return [[{ args: [`--exclude=${apart.map(({ name }) => name).join()}`] }], ...groups];
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

/** @returns what each step gave */
async function inLanes(work, run) {
  const results = [];
  const waiting = work.values();
  const lane = async () => {
    for (const steps of waiting) for (const step of steps) results.push(await run(step));
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

#!/usr/bin/env node
// node examples/training/run.mjs [weight|product|none]
//
// A fleet of four nodes on this machine, a training job with a rank on each, and a fault on rank 2: which node is named?
// Everything is the product's own: `npm start`, four agents, four analysers, the library in the job, the command line.
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const ROOT = path.resolve(import.meta.dirname, '../..');
const LIBRARY = path.join(ROOT, 'packages/training-monitor/python');
const NODES = ['node-a', 'node-b', 'node-c', 'node-d'];
/** Of rank 2, which train.py harms. */
const FAULTY = 'node-c';
const FAULTS = ['weight', 'product', 'none'];
const START_MS = 180_000;
const SEEN_MS = 120_000;

const fault = process.argv[2] ?? 'weight';
if (!FAULTS.includes(fault)) {
  process.stderr.write(`usage: node examples/training/run.mjs [${FAULTS.join('|')}]\n`);
  process.exit(2);
}

/** Short: the path of a Unix socket has at most 107 bytes. PostgreSQL's own user passes through it. */
const folder = mkdtempSync(path.join(os.tmpdir(), 'sentinel-training-'));
chmodSync(folder, 0o755);
const data = path.join(folder, 'data');
const running = [];

/** Starts a program of this clone; its output goes to a file of the folder. */
function start(name, command, args, env = {}) {
  const child = spawn(command, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const process_ = { name, child, output: '' };
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      process_.output += text;
      appendFileSync(path.join(folder, `${name}.log`), text);
    });
  running.push(process_);
  return process_;
}

function sentinel(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bin/sentinel.mjs', ...args, '--data', data], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return { ok: status === 0, text: stdout, said: stderr };
}

async function until(what, ms, look) {
  for (const end = Date.now() + ms; Date.now() < end; await delay(500)) {
    const found = await look();
    if (found) return found;
    const ended = running.find(({ child }) => child.exitCode !== null && child.exitCode !== 0);
    if (ended) throw new Error(`${ended.name} ended with ${ended.child.exitCode}:\n${ended.output.slice(-2000)}`);
  }
  throw new Error(`${what}: not after ${ms / 1000} s`);
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The configuration of a node of its own. JSON is YAML. */
function configure(node, engine) {
  const own = (name) => path.join(folder, node, name);
  const common = { node_name: node, correlation_engine_endpoint: engine, tls: { enabled: false } };
  const metrics = { listen_address: '127.0.0.1:0' };
  const config = {
    probe_agent: {
      ...common,
      metrics,
      backend: 'cpu',
      schedule_file: path.join(ROOT, 'config/probe_schedules/fast.yaml'),
      hmac_key_path: path.join(data, 'secrets/hmac.key'),
      data_dir: own('spool'),
    },
    training_monitor: {
      ...common,
      metrics,
      service_token_path: path.join(data, 'secrets/service.token'),
      thresholds_file: path.join(ROOT, 'config/thresholds/training_thresholds.yaml'),
      data_dir: own('anomalies'),
      socket_path: path.join(folder, `${node}.sock`),
      job_id: 'example',
      // A job of minutes is looked at more often than one of weeks, whatever that costs.
      cross_rank: { comparison_interval_steps: 5 },
      replay: { interval_steps: 10 },
      overhead_budget_pct: 100,
    },
  };
  const file = path.join(folder, `${node}.yaml`);
  writeFileSync(file, JSON.stringify(config));
  return file;
}

function devices() {
  const { ok, text } = sentinel('gpus', 'list', '--json');
  return ok ? JSON.parse(text).gpus : [];
}

async function run() {
  console.log('Setting up PyTorch for the job, once: a minute or two.');
  const environment = spawnSync(
    'python3',
    [path.join(ROOT, 'packages/monitor-kit/python/scripts/environment.py'), 'torch', 'sentinel_training'],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  if (environment.status !== 0) throw new Error('PyTorch could not be set up.');
  const python = environment.stdout.trim();

  console.log(`Starting SENTINEL, and four nodes, in ${folder} …`);
  start('npm start', process.execPath, ['scripts/start.mjs', '--data', data, '--free-ports']);
  const endpoints = path.join(data, 'run/endpoints.json');
  await until('SENTINEL runs', START_MS, () => running[0].output.includes('SENTINEL runs'));
  const { engine } = JSON.parse(readFileSync(endpoints, 'utf8'));
  const files = NODES.map((node) => configure(node, engine.grpc));
  for (const [index, node] of NODES.entries()) {
    start(`agent of ${node}`, process.execPath, ['bin/sentinel-probe-agent.mjs', '--config', files[index]]);
    start(`analyser of ${node}`, process.execPath, ['bin/sentinel-training-monitor.mjs', '--config', files[index]]);
  }
  await until('the engine knows the nodes', START_MS, () =>
    NODES.every(
      (node) => existsSync(path.join(folder, `${node}.sock`)) && devices().some((each) => each.node === node),
    ),
  );

  console.log(
    `Training on four ranks; on rank 2, which is ${FAULTY}: ${fault === 'none' ? 'no fault' : `a fault (${fault})`}.`,
  );
  const port = await freePort();
  const ranks = NODES.map((node, rank) =>
    start(`rank ${rank}`, python, [path.join(ROOT, 'examples/training/train.py')], {
      FAULT: fault,
      RANK: String(rank),
      WORLD_SIZE: String(NODES.length),
      MASTER_ADDR: '127.0.0.1',
      MASTER_PORT: String(port),
      NODE_NAME: node,
      OMP_NUM_THREADS: '1',
      PYTHONPATH: path.join(LIBRARY, 'src'),
      SENTINEL_CONFIG: files[rank],
    }),
  );
  ranks[0].child.stdout.on('data', (text) => process.stdout.write(`  ${text}`));
  await until('the job ends', START_MS, () => ranks.every(({ child }) => child.exitCode === 0));

  const accused = () => devices().filter(({ state }) => state !== 'GPU_STATE_HEALTHY');
  if (fault !== 'none') await until('a device is accused', SEEN_MS, () => accused().length > 0);
  console.log('\n$ npx sentinel gpus list');
  console.log(sentinel('gpus', 'list').text);
  for (const { gpu, node } of accused()) {
    console.log(`$ npx sentinel gpus explain ${gpu}     (of ${node})`);
    console.log(sentinel('gpus', 'explain', gpu).text);
    console.log(`$ npx sentinel audit query --gpu ${gpu}`);
    console.log(sentinel('audit', 'query', '--gpu', gpu, '--limit', '10').text);
  }
  const names = accused().map(({ node }) => node);
  const right = names.join() === (fault === 'none' ? '' : FAULTY);
  console.log(
    right ? 'As it should be.' : `Expected ${fault === 'none' ? 'nobody' : FAULTY}, found ${names.join() || 'nobody'}.`,
  );
  return right ? 0 : 1;
}

async function stop() {
  for (const { child } of running.toReversed()) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    process.kill(-child.pid, 'SIGTERM');
    await Promise.race([ended, delay(20_000)]);
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL');
  }
  if (process.env.KEEP === undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop().then(() => process.exit(1)));
try {
  process.exitCode = await run();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await stop();
}

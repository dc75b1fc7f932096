import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export const ROOT = path.resolve(import.meta.dirname, '../..');
export const START_MS = 180_000;
const TOLD_MS = 60_000;

/** Interpreter of a pinned environment of this clone, made where it is missing. */
export function pythonOf(environment, ...libraries) {
  const script = path.join(ROOT, 'packages/monitor-kit/python/scripts/environment.py');
  const { status, stdout } = spawnSync('python3', [script, environment, ...libraries], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`${environment} could not be set up.`);
  return stdout.trim();
}

/** Below Linux' range for outgoing connections (32768 and up), so that a port stays free until what is started listens there. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

/**
 * A loopback port that nothing listens on, and that neither this process nor a test of the repository is given again before it ends.
 * As `freePort` of packages/test-kit, which is not compiled yet where an example is the first that runs in a clone.
 */
export async function freePort() {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    // Held by a name in Linux' abstract socket space, which the kernel frees with the process.
    const held = await listening({ path: `\0sentinel-test/port/${port}` });
    held?.unref();
    const server = held && (await listening({ port, host: '127.0.0.1' }));
    if (server === null) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** A server; null where somebody else listens there. */
function listening(where) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen({ ...where, exclusive: true }, () => resolve(server));
  });
}

/** SENTINEL in a folder of its own, and nodes that this machine plays: everything that runs is the product's own program. */
export class Fleet {
  /** Short: the path of a Unix socket has at most 107 bytes. PostgreSQL's own user passes through it. */
  folder = mkdtempSync(path.join(os.tmpdir(), 'sentinel-example-'));
  data = path.join(this.folder, 'data');
  #running = [];

  constructor() {
    chmodSync(this.folder, 0o755);
  }

  /** Starts a program of this clone; its output goes to a file of the folder. */
  start(name, command, args, env = {}) {
    const child = spawn(command, args, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const running = { name, child, output: '' };
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => {
        running.output += text;
        appendFileSync(path.join(this.folder, `${name}.log`), text);
      });
    this.#running.push(running);
    return running;
  }

  /** `npm start`. @returns {Promise<string>} where the engine takes gRPC */
  async startSentinel() {
    const started = this.start('npm start', process.execPath, [
      'scripts/start.mjs',
      '--data',
      this.data,
      '--free-ports',
    ]);
    await this.until('SENTINEL runs', START_MS, () => started.output.includes('SENTINEL runs'));
    return JSON.parse(readFileSync(path.join(this.data, 'run/endpoints.json'), 'utf8')).engine.grpc;
  }

  /**
   * Writes the configuration of a node of its own. JSON is YAML.
   * @param {string} section of the monitor on it @param {object} keys of that section
   * @returns {string} the file
   */
  configure(node, engine, section, keys) {
    const own = (name) => path.join(this.folder, node, name);
    const metrics = { listen_address: '127.0.0.1:0' };
    const common = { node_name: node, correlation_engine_endpoint: engine, tls: { enabled: false }, metrics };
    const config = {
      probe_agent: {
        ...common,
        backend: 'cpu',
        schedule_file: path.join(ROOT, 'config/probe_schedules/fast.yaml'),
        hmac_key_path: path.join(this.data, 'secrets/hmac.key'),
        data_dir: own('spool'),
      },
      [section]: {
        ...common,
        service_token_path: path.join(this.data, 'secrets/service.token'),
        data_dir: own('anomalies'),
        socket_path: path.join(this.folder, `${node}.sock`),
        ...keys,
      },
    };
    const file = path.join(this.folder, `${node}.yaml`);
    writeFileSync(file, JSON.stringify(config));
    return file;
  }

  /** The agent and the monitor of each node, known to the engine. @param {Record<string, string>} files configuration by node */
  async startNodes(files, monitor) {
    const nodes = Object.keys(files);
    for (const [node, file] of Object.entries(files)) {
      this.start(`agent of ${node}`, process.execPath, ['bin/sentinel-probe-agent.mjs', '--config', file]);
      this.start(`monitor of ${node}`, process.execPath, [`bin/${monitor}.mjs`, '--config', file]);
    }
    const isThere = (node) => existsSync(path.join(this.folder, `${node}.sock`));
    await this.until('the engine knows the nodes', START_MS, () =>
      nodes.every((node) => isThere(node) && this.devices().some((each) => each.node === node)),
    );
  }

  /** The command line. */
  sentinel(...args) {
    const command = ['bin/sentinel.mjs', ...args, '--data', this.data];
    const { status, stdout } = spawnSync(process.execPath, command, { cwd: ROOT, encoding: 'utf8' });
    return { ok: status === 0, text: stdout };
  }

  devices() {
    const { ok, text } = this.sentinel('gpus', 'list', '--json');
    return ok ? JSON.parse(text).gpus : [];
  }

  accused() {
    return this.devices().filter(({ state }) => state !== 'GPU_STATE_HEALTHY');
  }

  async until(what, ms, look) {
    for (const end = Date.now() + ms; Date.now() < end; await delay(500)) {
      const found = await look();
      if (found) return found;
      const ended = this.#running.find(({ child }) => child.exitCode !== null && child.exitCode !== 0);
      if (ended) throw new Error(`${ended.name} ended with ${ended.child.exitCode}:\n${ended.output.slice(-2000)}`);
    }
    throw new Error(`${what}: not after ${ms / 1000} s`);
  }

  /** Prints what an operator sees. @param {string | null} faulty the node that should be named; null = none @returns {Promise<boolean>} it is so */
  async show(faulty) {
    console.log('\n$ npx sentinel gpus list');
    console.log(this.sentinel('gpus', 'list').text);
    const accused = this.accused();
    for (const { gpu, node, state } of accused) {
      // The engine says so before the ledger has it.
      const decided = new RegExp(`decision .*>${state.replace('GPU_STATE_', '')}`);
      await this.until(`the ledger has it of ${gpu}`, TOLD_MS, () =>
        decided.test(this.sentinel('audit', 'query', '--gpu', gpu, '--limit', '20').text),
      );
      console.log(`$ npx sentinel gpus explain ${gpu}     (of ${node})`);
      console.log(this.sentinel('gpus', 'explain', gpu).text);
      console.log(`$ npx sentinel audit query --gpu ${gpu}`);
      console.log(this.sentinel('audit', 'query', '--gpu', gpu, '--limit', '20').text);
    }
    const names = accused.map(({ node }) => node).join();
    const right = names === (faulty ?? '');
    console.log(right ? 'As it should be.' : `Expected ${faulty ?? 'nobody'}, found ${names || 'nobody'}.`);
    return right;
  }

  /** Kills what was started, whose end is then no failure. @param {ReturnType<Fleet['start']>[]} started */
  async kill(started) {
    this.#running = this.#running.filter((running) => !started.includes(running));
    const ends = started.filter(runs).map(({ child }) => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      process.kill(-child.pid, 'SIGKILL');
      return ended;
    });
    await Promise.all(ends);
  }

  async #stop() {
    for (const running of this.#running.toReversed().filter(runs)) {
      const { child } = running;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      // As Ctrl-C: what a service leaves running when it is stopped by SIGTERM, as the front of a sidecar, ends too.
      process.kill(-child.pid, 'SIGINT');
      await Promise.race([ended, delay(20_000)]);
      if (runs(running)) process.kill(-child.pid, 'SIGKILL');
    }
    if (process.env.KEEP === undefined) rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Runs an example to its end, which sets the exit status, and ends everything that it started. @param {() => Promise<boolean>} example */
  async play(example) {
    for (const signal of ['SIGINT', 'SIGTERM'])
      process.once(signal, () => void this.#stop().then(() => process.exit(1)));
    try {
      process.exitCode = (await example()) ? 0 : 1;
    } catch (error) {
      console.error(error.message);
      process.exitCode = 1;
    } finally {
      await this.#stop();
    }
  }
}

const runs = ({ child }) => child.exitCode === null && child.signalCode === null;

/** The argument, one of `choices`, the first where there is none. */
export function choice(file, choices) {
  const said = process.argv[2] ?? choices[0];
  if (choices.includes(said)) return said;
  process.stderr.write(`usage: node ${path.relative(ROOT, file)} [${choices.join('|')}]\n`);
  process.exit(2);
}

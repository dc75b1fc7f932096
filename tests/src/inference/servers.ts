/** Real inference servers on loopback, each from its pinned Python environment, with models that are made or written here. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually, freePort, startProcess, type TestProcess } from '@sentinel/test-kit';
import { ROOT } from '../harness/paths.js';

const run = promisify(execFile);
const SCRIPTS = join(ROOT, 'packages/monitor-kit/python/scripts');
const LIBRARY = join(ROOT, 'packages/inference-monitor/python');
const SERVERS = join(LIBRARY, 'tests/servers');
const MODELS = join(ROOT, '.sentinel/models');
/** With all packages fetched: 2.8 GB of vLLM. */
const SET_UP_MS = 580_000;
/** vLLM takes half a minute of a core, and on a busy machine minutes. */
const START_MS = 300_000;
const READY_INTERVAL_MS = 100;
/** A first answer compiles what later ones reuse. */
const FIRST_ANSWER_MS = 60_000;
/** The name under which vLLM serves the tiny model. */
export const TINY = 'tiny';

export type Environment = 'vllm' | 'triton' | 'mlserver' | 'clients';
export type Dtype = 'float32' | 'bfloat16';

/** The interpreter of a pinned environment, made where it is missing; `library` also gets its generated code. */
export async function python(name: Environment, library?: 'sentinel_inference'): Promise<string> {
  const args = [join(SCRIPTS, 'environment.py'), name, ...(library === undefined ? [] : [library])];
  const { stdout } = await run('python3', args, { timeout: SET_UP_MS });
  return stdout.trim();
}

/** Folder of the tiny Llama, made once for each version of the script that makes it. */
export async function tinyModel(dtype: Dtype): Promise<string> {
  const script = join(LIBRARY, 'scripts/tiny_model.py');
  const digest = createHash('sha256').update(readFileSync(script)).digest('hex').slice(0, 12);
  const folder = join(MODELS, `tiny-${dtype}-${digest}`);
  if (existsSync(folder)) return folder;
  mkdirSync(MODELS, { recursive: true });
  const made = mkdtempSync(join(MODELS, 'making-'));
  await run(await python('vllm'), [script, made, dtype], { timeout: START_MS });
  try {
    renameSync(made, folder);
  } catch (error) {
    // Another process was faster.
    rmSync(made, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/** Environment of a vLLM that finds the library by its plugin, as if it were installed. @param folder for what says so, new and empty */
export async function withLibrary(folder: string, config: string): Promise<NodeJS.ProcessEnv> {
  const interpreter = await python('vllm', 'sentinel_inference');
  mkdirSync(folder);
  const install = 'import pathlib, sys, tiny; tiny.installed(pathlib.Path(sys.argv[1]))';
  const env = { ...process.env, PYTHONPATH: join(LIBRARY, 'tests'), PYTHONDONTWRITEBYTECODE: '1' };
  await run(interpreter, ['-c', install, folder], { env, timeout: START_MS });
  return { PYTHONPATH: [folder, join(LIBRARY, 'src')].join(':'), SENTINEL_INFERENCE_CONFIG: config };
}

/** Checksums of the tiny model's weights as vLLM lays them out, written by the command that is documented. @param env of `withLibrary` */
export async function makeManifest(file: string, env: NodeJS.ProcessEnv): Promise<void> {
  const model = [
    '--model',
    await tinyModel('float32'),
    '--dtype',
    'float32',
    '--max-model-len',
    '1024',
    '--enforce-eager',
  ];
  const command = ['-m', 'sentinel_inference', 'manifest', '--out', file, ...model];
  await run(await python('vllm'), command, { env: { ...process.env, ...VLLM_ENV, ...env }, timeout: START_MS });
}

export interface Server extends AsyncDisposable {
  readonly process: TestProcess;
  /** Of HTTP, without a slash at its end. */
  readonly url: string;
}

/** A server of KServe v2. */
export interface KserveServer extends Server {
  /** HOST:PORT of gRPC. */
  readonly grpc: string;
}

export interface VllmOptions {
  readonly dtype?: Dtype;
  /** Added to the command line. */
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** The port to listen on, such as that of a server that ended. */
  readonly port?: number;
}

/** vLLM with the tiny model, once it has answered a completion: /health is 200 before the first one may fail. */
export async function startVllm(options: VllmOptions = {}): Promise<Server> {
  const { dtype = 'float32', args = [], env = {} } = options;
  const [interpreter, model] = [await python('vllm'), await tinyModel(dtype)];
  const port = options.port ?? (await freePort());
  const own = ['--model', model, '--served-model-name', TINY, '--dtype', dtype, '--seed', '0', '--enforce-eager'];
  const limits = ['--max-model-len', '1024', '--max-num-seqs', '32', '--host', '127.0.0.1', '--port', String(port)];
  const server = await startProcess({
    command: [interpreter, '-m', 'vllm.entrypoints.openai.api_server', ...own, ...limits, ...args],
    env: { ...VLLM_ENV, ...env },
  });
  const url = `http://127.0.0.1:${port}`;
  const body = JSON.stringify({ model: TINY, prompt: 'the', max_tokens: 2 });
  const request = { method: 'POST', body, headers: { 'content-type': 'application/json' } };
  await answers(server, 'vLLM', () => fetch(`${url}/v1/completions`, { ...request, ...once() }));
  return { process: server, url, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

/** One thread: more than the cores there are spin, and take nearly all the speed. Nothing is fetched, nobody is told. */
export const VLLM_ENV = {
  OMP_NUM_THREADS: '1',
  VLLM_CPU_OMP_THREADS_BIND: 'nobind',
  VLLM_CPU_KVCACHE_SPACE: '1',
  VLLM_HOST_IP: '127.0.0.1',
  VLLM_NO_USAGE_STATS: '1',
  DO_NOT_TRACK: '1',
  HF_HUB_OFFLINE: '1',
  TRANSFORMERS_OFFLINE: '1',
};

export interface TritonOptions {
  /** The port of HTTP to listen on. */
  readonly http?: number;
  /** Folder of models; default: "tokens" (logits of the next token) and "stream" (decoupled, greedy). */
  readonly models?: string;
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** Triton 2.51 with its Python backend. */
export async function startTriton(options: TritonOptions = {}): Promise<KserveServer> {
  const interpreter = await python('triton');
  const { models = join(SERVERS, 'triton'), args = [], env = {} } = options;
  const [http, grpc, metrics] = [options.http ?? (await freePort()), await freePort(), await freePort()];
  const own = [`--model-repository=${models}`, '--allow-gpu-metrics=false', '--disable-auto-complete-config'];
  const listen = { http, grpc, metrics };
  const ports = Object.entries(listen).flatMap(([name, port]) => [
    `--${name}-address=127.0.0.1`,
    `--${name}-port=${port}`,
  ]);
  const server = await startProcess({
    command: ['python3', join(SCRIPTS, 'triton_server.py'), interpreter, ...own, ...ports, ...args],
    env: { PYTHONDONTWRITEBYTECODE: '1', ...env },
  });
  return kserve(server, 'Triton', http, grpc);
}

export interface MlserverOptions {
  readonly env?: NodeJS.ProcessEnv;
}

/** MLServer with the model "tokens": KServe v2 without binary tensors. */
export async function startMlserver(options: MlserverOptions = {}): Promise<KserveServer> {
  const interpreter = await python('mlserver');
  const [http, grpc, metrics] = [await freePort(), await freePort(), await freePort()];
  const server = await startProcess({
    command: [interpreter, '-m', 'mlserver.cli.main', 'start', join(SERVERS, 'mlserver')],
    env: {
      PYTHONPATH: join(SERVERS, 'mlserver/tokens'),
      PYTHONDONTWRITEBYTECODE: '1',
      MLSERVER_HOST: '127.0.0.1',
      MLSERVER_HTTP_PORT: String(http),
      MLSERVER_GRPC_PORT: String(grpc),
      MLSERVER_METRICS_PORT: String(metrics),
      MLSERVER_PARALLEL_WORKERS: '0',
      ...options.env,
    },
  });
  return kserve(server, 'MLServer', http, grpc);
}

async function kserve(server: TestProcess, name: string, http: number, grpc: number): Promise<KserveServer> {
  const url = `http://127.0.0.1:${http}`;
  await answers(server, name, () => fetch(`${url}/v2/health/ready`, once()));
  const dispose = (): PromiseLike<void> => server[Symbol.asyncDispose]();
  return { process: server, url, grpc: `127.0.0.1:${grpc}`, [Symbol.asyncDispose]: dispose };
}

/** A server that is still starting must not keep a request waiting for ever. */
function once(): RequestInit {
  return { signal: AbortSignal.timeout(FIRST_ANSWER_MS) };
}

/** Waits until it answers with 200; a server that ended says why. */
async function answers(server: TestProcess, name: string, ask: () => Promise<Response>): Promise<void> {
  let ended = false;
  void server.exited.then(() => {
    ended = true;
  });
  let answer = 'nothing';
  const ready = async (): Promise<boolean> => {
    if (ended) return true;
    try {
      const response = await ask();
      answer = `${response.status} ${await response.text()}`;
      return response.ok;
    } catch {
      return false;
    }
  };
  try {
    await eventually(ready, { what: `${name} answers`, timeoutMs: START_MS, intervalMs: READY_INTERVAL_MS });
    if (ended) throw new Error(`${name} ended`);
  } catch (error) {
    await server.kill('SIGKILL');
    throw new Error(`${name} does not serve (answer: ${answer}): ${server.output.slice(-4000)}`, { cause: error });
  }
}

import { freePort } from '../free-port.js';
import { startProcess, type TestProcess } from '../start-process.js';
import { type TemporaryFolder, temporaryFolder } from '../temporary-folder.js';
import { onPath } from './on-path.js';

/** A server that every test file of a run shares. */
export const REDIS_VARIABLE = 'SENTINEL_TEST_REDIS_URL';
const PROGRAM = 'redis-server';

/** Why tests with Redis cannot run here, as `skip` of node:test takes it; false = they can. */
export function redisMissing(env: NodeJS.ProcessEnv = process.env): string | false {
  if ((env[REDIS_VARIABLE] ?? '') !== '' || onPath(PROGRAM, env.PATH) !== null) return false;
  return `there is no ${PROGRAM} on the PATH: install it ("apt-get install redis-server"), or set ${REDIS_VARIABLE}`;
}

/** A real server for tests. Disposing stops it, if it is the caller's own. */
export interface RedisUrl extends AsyncDisposable {
  readonly url: string;
}

/**
 * The run's own server, or one of the caller's where there is none. Others use it at the same time: keep to keys of your own, and
 * neither flush nor stop it.
 */
export async function sharedRedis(env: NodeJS.ProcessEnv = process.env): Promise<RedisUrl> {
  const url = env[REDIS_VARIABLE] ?? '';
  return url === '' ? TestRedis.start() : { url, [Symbol.asyncDispose]: async () => {} };
}

/** A real server of one test, which may do with it what it likes. It keeps nothing over a restart. */
export class TestRedis implements RedisUrl {
  readonly port: number;
  readonly #options: readonly string[];
  readonly #folder: TemporaryFolder;
  #running: TestProcess;

  private constructor(port: number, options: readonly string[], folder: TemporaryFolder, running: TestProcess) {
    this.port = port;
    this.#options = options;
    this.#folder = folder;
    this.#running = running;
  }

  /** @param options of redis-server, besides where it listens and that it keeps nothing */
  static async start(options: readonly string[] = []): Promise<TestRedis> {
    const port = await freePort();
    const folder = await temporaryFolder('sentinel-redis-');
    try {
      return new TestRedis(port, options, folder, await launch(port, options, folder));
    } catch (error) {
      await folder.remove();
      throw error;
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#running.pid;
  }

  /** Also a stopped one, with SIGKILL. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#running.kill(signal);
  }

  /** Stops it in its tracks (SIGSTOP), without a word to those connected, until `resume`. */
  pause(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** Again on the same port, after `kill`; it is empty. */
  async restart(): Promise<void> {
    this.#running = await launch(this.port, this.#options, this.#folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.#folder.remove();
  }
}

function launch(port: number, options: readonly string[], folder: TemporaryFolder): Promise<TestProcess> {
  const where = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder.path];
  const nothingKept = ['--save', '', '--appendonly', 'no'];
  return startProcess({
    command: [onPath(PROGRAM) ?? PROGRAM, ...where, ...nothingKept, ...options],
    ready: { output: /Ready to accept connections/ },
  });
}

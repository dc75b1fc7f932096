import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { until } from '@sentinel/monitor-kit/testing/until';
import { eventually } from '@sentinel/test-kit';
import { ControlClient } from '../front/control/control-client.js';
import { controlPath, type FromFront } from '../front/control/messages.js';

const PACKAGE = join(import.meta.dirname, '../..');
const THRESHOLDS = join(PACKAGE, '../../config/thresholds/inference_thresholds.yaml');
const TEST_TOKEN = 'test-service-token-of-32-characters!';

interface Ready {
  readonly pid: number;
  readonly http?: string;
  readonly grpc?: string;
  readonly metrics?: string;
}

/** The real sidecar, analyser and front, in a folder of its own. */
export class Sidecar {
  readonly folder: string;
  readonly socket: string;
  output = '';
  #process: ChildProcess | undefined;

  constructor(folder: string) {
    this.folder = folder;
    this.socket = join(folder, 's.sock');
    after(() => this.end());
  }

  /** @param config keys of the section besides those that every test needs */
  async start(config: Record<string, unknown>): Promise<Ready> {
    const file = join(this.folder, 'sentinel.yaml');
    const base = {
      thresholds_file: THRESHOLDS,
      socket_path: this.socket,
      data_dir: join(this.folder, 'data'),
      node_name: 'node-1',
      tls: { enabled: false },
      metrics: { listen_address: '127.0.0.1:0' },
      service_token: TEST_TOKEN,
      listen_address: '127.0.0.1:0',
    };
    writeFileSync(file, JSON.stringify({ inference_monitor: { ...base, ...config } }), { mode: 0o600 });
    const bin = join(PACKAGE, 'bin', 'sentinel-inference-monitor.mjs');
    const args = [bin, '--config', file, '--ready-file', join(this.folder, 'ready')];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    return until('ready', () => {
      if (child.exitCode !== null) throw new Error(`the sidecar ended: ${this.output}`);
      try {
        const ready = JSON.parse(readFileSync(join(this.folder, 'ready'), 'utf8')) as Ready;
        return ready.pid === child.pid && ready;
      } catch {
        return undefined;
      }
    });
  }

  /** Of the analyser; resolves with its exit status, null after a signal. */
  async kill(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return null;
    child.kill(signal);
    const [code] = (await once(child, 'close')) as [number | null];
    return code;
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  /** @returns null where no front runs */
  front(take: (message: FromFront) => void = () => undefined): Promise<ControlClient | null> {
    return ControlClient.connect(controlPath(this.socket), take);
  }

  /** Waits for a front that says hello: a signal to process 0 would go to the test itself. */
  async frontPid(): Promise<number> {
    const front = await eventually(() => this.front(), { what: 'a front', timeoutMs: 60_000 });
    front.close();
    return front.hello.pid;
  }

  /** Ends analyser and front. */
  async end(): Promise<void> {
    await this.kill('SIGKILL');
    const front = await this.front();
    front?.order({ kind: 'drain' });
    await front?.closed;
  }
}

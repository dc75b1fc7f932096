import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { TEST_TOKEN } from './engine-stub.js';
import { until } from './until.js';

export interface MonitorProgram {
  /** Its command. */
  readonly bin: string;
  /** Of the configuration, such as "training_monitor". */
  readonly section: string;
  /** The limits that are shipped. */
  readonly thresholds: string;
}

/** What a monitor writes when it is ready. */
export interface MonitorReady {
  readonly pid: number;
  readonly metrics?: string;
  readonly http?: string;
}

/** The real command of a monitor in a folder of its own. */
export class MonitorProcess {
  readonly folder: string;
  readonly socket: string;
  readonly thresholds: string;
  stdout = '';
  stderr = '';
  readonly #program: MonitorProgram;
  #process: ChildProcess | undefined;

  constructor(folder: string, program: MonitorProgram) {
    this.folder = folder;
    this.#program = program;
    this.socket = join(folder, 's.sock');
    this.thresholds = join(folder, 'thresholds.yaml');
    writeFileSync(this.thresholds, readFileSync(program.thresholds));
  }

  /** @param config keys of the section besides those that every test needs */
  start(config: Record<string, unknown>, flags: readonly string[] = []): ChildProcess {
    const file = join(this.folder, 'sentinel.yaml');
    this.configure(config);
    const args = [this.#program.bin, '--config', file, '--ready-file', join(this.folder, 'ready'), ...flags];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    after(() => child.kill('SIGKILL'));
    this.#process = child;
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      this.stdout += chunk;
    });
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      this.stderr += chunk;
    });
    return child;
  }

  /** Writes another configuration, for the next start or SIGHUP. */
  configure(config: Record<string, unknown>): void {
    const base = {
      thresholds_file: this.thresholds,
      socket_path: this.socket,
      data_dir: join(this.folder, 'data'),
      node_name: 'node-1',
      tls: { enabled: false },
      metrics: { listen_address: '127.0.0.1:0' },
      service_token: TEST_TOKEN,
    };
    const content = JSON.stringify({ [this.#program.section]: { ...base, ...config } });
    writeFileSync(join(this.folder, 'sentinel.yaml'), content, { mode: 0o600 });
  }

  /** Address of the metrics port, once the monitor is ready. */
  async ready(): Promise<string> {
    return (await this.started()).metrics ?? '';
  }

  /** What it wrote when it was ready. */
  started(): Promise<MonitorReady> {
    return until('ready', () => {
      try {
        const ready = JSON.parse(readFileSync(join(this.folder, 'ready'), 'utf8')) as MonitorReady;
        return ready.pid === this.#process?.pid ? ready : undefined;
      } catch {
        return undefined;
      }
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  /** Resolves with the exit status, null after a signal. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    child.kill(signal);
    const [code] = (await once(child, 'close')) as [number | null];
    return code;
  }
}

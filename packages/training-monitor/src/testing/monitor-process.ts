import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { TEST_TOKEN } from '@sentinel/monitor-kit/testing/engine-stub';
import { until } from '@sentinel/monitor-kit/testing/until';

const PACKAGE = join(import.meta.dirname, '../..');
const THRESHOLDS = join(PACKAGE, '../../config/thresholds/training_thresholds.yaml');

/** The real analyser in a folder of its own. */
export class MonitorProcess {
  readonly folder: string;
  readonly socket: string;
  readonly thresholds: string;
  stdout = '';
  stderr = '';
  #process: ChildProcess | undefined;

  constructor(folder: string) {
    this.folder = folder;
    this.socket = join(folder, 's.sock');
    this.thresholds = join(folder, 'thresholds.yaml');
    writeFileSync(this.thresholds, readFileSync(THRESHOLDS));
  }

  /** @param config keys of the section besides those that every test needs */
  start(config: Record<string, unknown>, flags: readonly string[] = []): ChildProcess {
    const file = join(this.folder, 'sentinel.yaml');
    const base = {
      thresholds_file: this.thresholds,
      socket_path: this.socket,
      data_dir: join(this.folder, 'data'),
      node_name: 'node-1',
      tls: { enabled: false },
      metrics: { listen_address: '127.0.0.1:0' },
      service_token: TEST_TOKEN,
    };
    writeFileSync(file, JSON.stringify({ training_monitor: { ...base, ...config } }), { mode: 0o600 });
    const bin = join(PACKAGE, 'bin', 'sentinel-training-monitor.mjs');
    const args = [bin, '--config', file, '--ready-file', join(this.folder, 'ready'), ...flags];
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

  /** Address of the metrics port, once the analyser is ready. */
  ready(): Promise<string> {
    return until('ready', () => {
      try {
        const ready = JSON.parse(readFileSync(join(this.folder, 'ready'), 'utf8')) as { pid: number; metrics?: string };
        return ready.pid === this.#process?.pid ? (ready.metrics ?? '') : undefined;
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

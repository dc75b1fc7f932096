import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { until } from './until.js';

export const TEST_KEY = 'a fleet key for tests only';

const PACKAGE = join(import.meta.dirname, '../..');
const SCHEDULES = join(PACKAGE, '../../config/probe_schedules');
/** The self-tests of every family come first, on a busy machine. */
const READY_MS = 60_000;

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** The real agent in a folder of its own. */
export class AgentProcess {
  readonly folder: string;
  readonly lines: LogLine[] = [];
  stderr = '';
  stdout = '';
  #process: ChildProcess | undefined;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** @param config keys of the section `probe_agent` besides those that every test needs */
  start(
    config: Record<string, unknown>,
    { inject, flags = [], env = {} }: { inject?: string; flags?: readonly string[]; env?: Record<string, string> } = {},
  ): ChildProcess {
    const file = join(this.folder, 'sentinel.yaml');
    const base = {
      schedule_file: join(SCHEDULES, 'fast.yaml'),
      hmac_key: TEST_KEY,
      data_dir: join(this.folder, 'data'),
      node_name: 'node-1',
      tls: { enabled: false },
      metrics: { listen_address: '127.0.0.1:0' },
      batch_flush_interval_ms: 50,
    };
    writeFileSync(file, JSON.stringify({ probe_agent: { ...base, ...config } }));
    const bin = join(
      PACKAGE,
      'bin',
      inject === undefined ? 'sentinel-probe-agent.mjs' : 'sentinel-probe-agent-test.mjs',
    );
    const injecting = inject === undefined ? [] : ['--inject', inject];
    const args = [bin, '--config', file, '--ready-file', join(this.folder, 'ready'), ...injecting, ...flags];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    after(() => child.kill('SIGKILL'));
    this.#process = child;
    this.#collect(child);
    return child;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Address of the metrics port, once the agent is ready. */
  ready(): Promise<string> {
    return until('ready', READY_MS, () => {
      try {
        const { pid, metrics } = JSON.parse(readFileSync(join(this.folder, 'ready'), 'utf8')) as {
          pid: number;
          metrics?: string;
        };
        return pid === this.pid ? (metrics ?? '') : undefined;
      } catch {
        return undefined;
      }
    });
  }

  line(what: string, timeoutMs: number, match: (line: LogLine) => boolean): Promise<LogLine> {
    return until(`${what} in the log`, timeoutMs, () => this.lines.find(match));
  }

  /** Resolves with the exit status, null after a signal. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    child.kill(signal);
    const [code] = (await once(child, 'close')) as [number | null];
    return code;
  }

  #collect(child: ChildProcess): void {
    let partial = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      this.stdout += chunk;
      const lines = (partial + chunk).split('\n');
      partial = lines.pop() ?? '';
      for (const line of lines) if (line.startsWith('{')) this.lines.push(JSON.parse(line) as LogLine);
    });
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      this.stderr += chunk;
    });
  }
}

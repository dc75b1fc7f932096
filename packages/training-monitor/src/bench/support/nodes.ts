import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type AnomalyEvent, AnomalySeverity } from '@sentinel/contracts/sentinel/v1/anomaly.js';
import { EngineStub, TEST_TOKEN } from '@sentinel/monitor-kit/testing/engine-stub';
import { until } from '@sentinel/monitor-kit/testing/until';
import { GRACE_MS } from '../../grouping/step-book.js';

const PACKAGE = join(import.meta.dirname, '../../..');
const READY_MS = 60_000;
const QUIET_MS = 1_000;

/** A node with the shipped analyser in a process of its own, and an engine that keeps what it is told. */
export class Node {
  readonly folder: string;
  readonly #engine = new EngineStub();
  readonly #name: string;
  readonly #rank: number;
  #process: ChildProcess | undefined;
  #log = '';

  /** @param rank of the job; computes on device GPU-RANK */
  constructor(folder: string, rank: number) {
    this.#rank = rank;
    this.#name = `node-${rank}`;
    this.folder = join(folder, this.#name);
    mkdirSync(this.folder);
  }

  /** @param jobs names of jobs, each with a file of its own for the library @param library its keys */
  async start(jobs: readonly string[], library: object): Promise<void> {
    await this.#engine.start();
    const socket = join(this.folder, 's.sock');
    const map = Object.fromEntries([0, 1, 2, 3].map((rank) => [String(rank), `GPU-${rank}`]));
    const analyser = {
      thresholds_file: join(PACKAGE, '../../config/thresholds/training_thresholds.yaml'),
      socket_path: socket,
      data_dir: join(this.folder, 'data'),
      node_name: this.#name,
      tls: { enabled: false },
      metrics: { listen_address: '127.0.0.1:0' },
      service_token: TEST_TOKEN,
      correlation_engine_endpoint: this.#engine.address,
      rank_device_map: map,
    };
    this.#write('analyser', analyser);
    for (const job of jobs) this.#write(job, { ...library, socket_path: socket, job_id: job });
    const ready = join(this.folder, 'ready');
    const bin = join(PACKAGE, 'bin', 'sentinel-training-monitor.mjs');
    const args = [bin, '--config', join(this.folder, 'analyser.yaml'), '--ready-file', ready];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      this.#log = (this.#log + chunk).slice(-2_000);
    });
    this.#process = child;
    await until(
      `${this.#name} ready`,
      () => {
        if (child.exitCode !== null) throw new Error(`${this.#name} ended: ${this.#log}`);
        return existsSync(ready);
      },
      READY_MS,
    );
  }

  /** What the engine was told and is no INFO, once no more comes. */
  async events(): Promise<AnomalyEvent[]> {
    await delay(GRACE_MS + QUIET_MS);
    return [...this.#engine.distinct().values()]
      .flatMap(({ events }) => events)
      .filter(({ severity }) => severity !== AnomalySeverity.INFO);
  }

  async stop(): Promise<void> {
    if (this.#process?.exitCode === null) {
      this.#process.kill('SIGTERM');
      await once(this.#process, 'close');
    }
    await this.#engine.stop();
  }

  #write(name: string, section: object): void {
    writeFileSync(join(this.folder, `${name}.yaml`), JSON.stringify({ training_monitor: section }), { mode: 0o600 });
  }
}

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ENDPOINTS_FILE } from '@sentinel/cli/endpoints';
import type { DataFolder } from './data-folder.js';
import { type Installation, ORDER } from './installation.js';
import { endPostgres, recordServices } from './leftovers.js';
import { ManagedProcess, type ProcessStatus } from './managed-process.js';
import { replaceFile } from './replace-file.js';
import { ServiceLog } from './service-log.js';
import type { ServiceName } from './service-names.js';

/** In `run/`: with them `npx sentinel-audit-ledger` means the installation that was started last. */
export const ARGUMENTS_FILE = 'arguments.json';

/** How often ready files are looked for while a service starts, and while none does. */
const STARTING_POLL_MS = 30;
const IDLE_POLL_MS = 500;
const TRIM_INTERVAL_MS = 60_000;

/** The three services as one thing that starts, stays up and stops. */
export class Stack {
  readonly #installation: Installation;
  readonly #folder: DataFolder;
  readonly #onChange: () => void;
  readonly #processes: ReadonlyMap<ServiceName, ManagedProcess>;
  readonly #logs: readonly ServiceLog[];
  readonly #ended = new AbortController();

  /** `onChange`: some `statuses` changed. */
  constructor(installation: Installation, folder: DataFolder, onChange: () => void) {
    this.#installation = installation;
    this.#folder = folder;
    this.#onChange = onChange;
    const logs = ORDER.map((name) => new ServiceLog(join(folder.log, `${name}.log`)));
    this.#logs = logs;
    this.#processes = new Map(
      ORDER.map((name, i) => {
        const process = new ManagedProcess(installation.specs[name], logs[i] as ServiceLog, () => this.#changed());
        return [name, process];
      }),
    );
  }

  get statuses(): ProcessStatus[] {
    return [...this.#processes.values()].map((process) => process.status);
  }

  serves(name: ServiceName): boolean {
    return this.#processes.get(name)?.status.state === 'running';
  }

  /** The first service that will not be started again, since its command line or configuration is wrong. */
  get failed(): ProcessStatus | undefined {
    return this.statuses.find(({ state }) => state === 'failed');
  }

  start(): void {
    for (const file of Object.values(this.#installation.readyFiles)) rmSync(file, { force: true });
    const { endpoints, arguments: given } = this.#installation;
    replaceFile(join(this.#folder.root, ENDPOINTS_FILE), `${JSON.stringify(endpoints, null, 2)}\n`);
    replaceFile(join(this.#folder.run, ARGUMENTS_FILE), `${JSON.stringify(given, null, 2)}\n`, 0o600);
    for (const process of this.#processes.values()) process.start();
    void this.#watchReadyFiles();
    const trimmer = setInterval(() => {
      for (const log of this.#logs) log.trim();
    }, TRIM_INTERVAL_MS).unref();
    this.#ended.signal.addEventListener('abort', () => clearInterval(trimmer));
  }

  /** Agent first, so that the engine takes its last reports; PostgreSQL last, in case the engine could not stop it. */
  async stop(): Promise<void> {
    this.#ended.abort();
    for (const name of ORDER.toReversed()) await this.#processes.get(name)?.stop();
    await endPostgres(this.#folder);
    recordServices(this.#folder, []);
  }

  /** At once: nothing drains, and what is not durable yet is sent again by its sender after the next start. */
  async kill(): Promise<void> {
    const processes = [...this.#processes.values()];
    for (const process of processes) process.kill();
    await Promise.all(processes.map((process) => process.stop()));
    await endPostgres(this.#folder);
  }

  #changed(): void {
    recordServices(
      this.#folder,
      this.statuses.flatMap(({ pid }) => pid ?? []),
    );
    this.#onChange();
  }

  async #watchReadyFiles(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      for (const [name, process] of this.#processes) {
        const { state, pid } = process.status;
        if (state === 'starting' && pid !== null && readyPid(this.#installation.readyFiles[name]) === pid)
          process.ready();
      }
      const starting = this.statuses.some(({ state }) => state === 'starting');
      const waitMs = starting ? STARTING_POLL_MS : IDLE_POLL_MS;
      await delay(waitMs, undefined, { signal: this.#ended.signal }).catch(() => undefined);
    }
  }
}

function readyPid(file: string): number | undefined {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { pid?: number }).pid;
  } catch {
    return undefined;
  }
}

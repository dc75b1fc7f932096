import type { Server } from '../grouping/server.js';

export interface DeviceSettings {
  readonly node_name: string;
  readonly gpu_uuids: readonly string[];
  /** Device by worker number. */
  readonly rank_device_map: Readonly<Record<string, string>>;
}

/** Which devices an inference server computes on: as it says itself, else as the configuration says. */
export class Devices {
  readonly #settings: () => DeviceSettings;

  constructor(settings: () => DeviceSettings) {
    this.#settings = settings;
  }

  get node(): string {
    return this.#settings().node_name;
  }

  /** Of all workers, in order; '' = not known. */
  all({ gpus }: Pick<Server, 'gpus'>): string[] {
    const { gpu_uuids, rank_device_map } = this.#settings();
    const mapped = Object.keys(rank_device_map).map((worker) => Number(worker) + 1);
    const workers = Math.max(gpus.length, gpu_uuids.length, ...mapped);
    return Array.from({ length: workers }, (_, k) => gpus[k] || gpu_uuids[k] || rank_device_map[String(k)] || '');
  }

  /** Of some workers, each once; none where one of them is not known, which is then the only device of the node or nobody's. */
  of(server: Pick<Server, 'gpus'>, workers: readonly number[] | 'all'): string[] {
    const all = this.all(server);
    const wanted = workers === 'all' ? all : workers.map((worker) => all[worker] ?? '');
    return wanted.includes('') ? [] : [...new Set(wanted)];
  }
}

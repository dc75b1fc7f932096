import { isLocal, type Sender } from '../grouping/record.js';

/** Which device a rank computes on, and whose it is. */
export class Devices {
  readonly #node: string;
  readonly #map: Readonly<Record<string, string>>;

  /** @param node own name @param map `training_monitor.rank_device_map` */
  constructor(node: string, map: Readonly<Record<string, string>>) {
    this.#node = node;
    this.#map = map;
  }

  /** '' = not known. */
  deviceOf({ places }: Sender, rank: number): string {
    const own = places[rank]?.gpu ?? '';
    return own === '' ? (this.#map[String(rank)] ?? '') : own;
  }

  /** As the engine knows it. */
  nodeOf(job: Sender, rank: number): string {
    return isLocal(job, rank) ? this.#node : (job.places[rank]?.node ?? '');
  }

  /** Known devices of these ranks on this node, each once. */
  localDevices(job: Sender, ranks: readonly number[]): string[] {
    const devices = ranks.filter((rank) => isLocal(job, rank)).map((rank) => this.deviceOf(job, rank));
    return [...new Set(devices)].filter((device) => device !== '');
  }

  /** Devices of the whole job; 0 = not known of every rank. */
  count(job: Sender): number {
    const devices = job.places.map((_, rank) => this.deviceOf(job, rank));
    return devices.includes('') ? 0 : new Set(devices).size;
  }
}

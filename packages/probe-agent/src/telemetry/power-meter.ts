import type { Sysfs } from './sysfs.js';

const POWERCAP = 'sys/class/powercap';

interface Meter {
  readonly microjoules: number;
  readonly monoMs: number;
}

/** Power of CPU packages from the energy counters of RAPL: what was used since the reading before. */
export class PowerMeter {
  readonly #files: Sysfs;
  readonly #before = new Map<string, Meter>();

  constructor(files: Sysfs) {
    this.#files = files;
  }

  /** Watts of all packages together; undefined at the first reading and where the kernel shows no counter. */
  async watts(monoMs: number): Promise<number | undefined> {
    const zones = await this.#files.list(POWERCAP, /^intel-rapl:\d+$/);
    const powers = [];
    for (const zone of zones) {
      const name = await this.#files.text(`${POWERCAP}/${zone}/name`);
      if (name?.startsWith('package') === true) powers.push(await this.#zone(zone, monoMs));
    }
    return powers.some((power) => power === undefined) || powers.length === 0
      ? undefined
      : powers.reduce((sum: number, power) => sum + (power ?? 0), 0);
  }

  async #zone(zone: string, monoMs: number): Promise<number | undefined> {
    const microjoules = await this.#files.number(`${POWERCAP}/${zone}/energy_uj`);
    if (microjoules === undefined) return undefined;
    const before = this.#before.get(zone);
    this.#before.set(zone, { microjoules, monoMs });
    if (before === undefined || monoMs <= before.monoMs) return undefined;
    const range = (await this.#files.number(`${POWERCAP}/${zone}/max_energy_range_uj`)) ?? 0;
    const used = microjoules - before.microjoules + (microjoules < before.microjoules ? range : 0);
    return used < 0 ? undefined : used / 1000 / (monoMs - before.monoMs);
  }
}

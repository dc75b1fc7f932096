import { readMachineErrors, total } from './machine-errors.js';
import { PowerMeter } from './power-meter.js';
import type { Sensed, Sensors } from './reading.js';
import { Sysfs } from './sysfs.js';

const HWMON = 'sys/class/hwmon';
const CPU = 'sys/devices/system/cpu';

/** Clocks and throttling are read of so many CPUs at most, spread evenly: files of hundreds of CPUs cost more than they tell. */
const MOST_CPUS = 32;

/** Drivers of the sensors in the package, and the label of the package's own reading. */
const PACKAGE_SENSORS: Readonly<Record<string, RegExp>> = {
  coretemp: /^(Package|Physical) id \d+$/,
  k10temp: /^T(die|ctl)$/,
  zenpower: /^T(die|ctl)$/,
};

/** What a machine may offer, and the fields that show that it does. */
const OFFERS: readonly (readonly [what: string, fields: readonly string[]])[] = [
  ['temperature', ['temperature_c']],
  ['clock', ['clock_mean_mhz']],
  ['throttling', ['throttle_core_events', 'throttle_package_events']],
  ['power', ['power_w']],
  ['memory ECC', ['memory_uncorrected_errors']],
  ['machine checks', ['machine_checks']],
];

/** Sensors of some logical CPUs and of the machine around them, as the kernel shows them. */
export class CpuSensors implements Sensors {
  readonly deviceId: string;
  readonly #cpus: readonly number[];
  readonly #files: Sysfs;
  readonly #power: PowerMeter;
  readonly #monotonicMs: () => number;

  constructor(deviceId: string, cpus: readonly number[], monotonicMs: () => number, files = new Sysfs()) {
    this.deviceId = deviceId;
    this.#cpus = spread(cpus, MOST_CPUS);
    this.#files = files;
    this.#power = new PowerMeter(files);
    this.#monotonicMs = monotonicMs;
  }

  async read(): Promise<Sensed> {
    const clocks = await this.#each('cpufreq/scaling_cur_freq');
    const errors = await readMachineErrors(this.#files);
    const found: Record<string, number | undefined> = {
      temperature_c: await this.#temperature(),
      clock_mean_mhz: clocks.length === 0 ? undefined : Math.round(sum(clocks) / clocks.length / 1000),
      clock_min_mhz: clocks.length === 0 ? undefined : Math.round(Math.min(...clocks) / 1000),
      power_w: rounded(await this.#power.watts(this.#monotonicMs())),
      throttle_core_events: total(await this.#each('thermal_throttle/core_throttle_count')),
      throttle_package_events: most(await this.#each('thermal_throttle/package_throttle_count')),
      memory_corrected_errors: errors.memoryCorrected,
      memory_uncorrected_errors: errors.memoryUncorrected,
      machine_checks: errors.machineChecks,
    };
    const values = Object.fromEntries(
      Object.entries(found).filter((pair): pair is [string, number] => pair[1] !== undefined),
    );
    const absent = OFFERS.filter(([, fields]) => fields.every((field) => values[field] === undefined)).map(
      ([what]) => what,
    );
    const texts: Record<string, string> = absent.length === 0 ? {} : { not_offered: absent.join(', ') };
    return { reading: { values, texts }, problem: null, lost: false };
  }

  /** Of the hottest package, degrees Celsius. */
  async #temperature(): Promise<number | undefined> {
    const temperatures = [];
    for (const sensor of await this.#files.list(HWMON, /^hwmon\d+$/)) {
      const label = PACKAGE_SENSORS[(await this.#files.text(`${HWMON}/${sensor}/name`)) ?? ''];
      if (label === undefined) continue;
      for (const input of await this.#files.list(`${HWMON}/${sensor}`, /^temp\d+_input$/)) {
        const named = await this.#files.text(`${HWMON}/${sensor}/${input.replace('_input', '_label')}`);
        if (named === undefined || !label.test(named)) continue;
        const millidegrees = await this.#files.number(`${HWMON}/${sensor}/${input}`);
        if (millidegrees !== undefined) temperatures.push(millidegrees / 1000);
      }
    }
    return most(temperatures);
  }

  /** One number of each CPU that is looked at and has it. */
  async #each(name: string): Promise<number[]> {
    const numbers = await Promise.all(this.#cpus.map((cpu) => this.#files.number(`${CPU}/cpu${cpu}/${name}`)));
    return numbers.filter((number) => number !== undefined);
  }
}

/** At most `most` of the items, at even distances. */
function spread<T>(items: readonly T[], most: number): T[] {
  const step = Math.ceil(items.length / most);
  return items.filter((_, k) => k % step === 0);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function most(numbers: readonly number[]): number | undefined {
  return numbers.length === 0 ? undefined : Math.max(...numbers);
}

function rounded(watts: number | undefined): number | undefined {
  return watts === undefined ? undefined : Math.round(watts * 10) / 10;
}

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../testing/folder.js';
import { CpuSensors } from './cpu-sensors.js';
import { Sysfs } from './sysfs.js';

const root = temporaryFolder();

/** A machine whose kernel shows these files. */
function machine(files: Readonly<Record<string, string | number>>) {
  const folder = mkdtempSync(join(root, 'machine-'));
  const write = (more: typeof files) => {
    for (const [path, content] of Object.entries(more)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), `${content}\n`);
    }
  };
  write(files);
  let now = 0;
  const sensors = new CpuSensors('CPU-x', [0, 2], () => now, new Sysfs(folder));
  return { write, read: async () => (await sensors.read()).reading, pass: (ms: number) => (now += ms) };
}

const INTEL = {
  'sys/class/hwmon/hwmon0/name': 'nvme',
  'sys/class/hwmon/hwmon0/temp1_input': 99_000,
  'sys/class/hwmon/hwmon1/name': 'coretemp',
  'sys/class/hwmon/hwmon1/temp1_label': 'Package id 0',
  'sys/class/hwmon/hwmon1/temp1_input': 61_000,
  'sys/class/hwmon/hwmon1/temp2_label': 'Core 0',
  'sys/class/hwmon/hwmon1/temp2_input': 70_000,
  'sys/class/hwmon/hwmon10/name': 'coretemp',
  'sys/class/hwmon/hwmon10/temp1_label': 'Package id 1',
  'sys/class/hwmon/hwmon10/temp1_input': 64_500,
  'sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq': 3_000_000,
  'sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq': 800_000,
  'sys/devices/system/cpu/cpu2/cpufreq/scaling_cur_freq': 2_000_000,
  'sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count': 3,
  'sys/devices/system/cpu/cpu2/thermal_throttle/core_throttle_count': 4,
  'sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count': 9,
  'sys/class/powercap/intel-rapl:0/name': 'package-0',
  'sys/class/powercap/intel-rapl:0/energy_uj': 1_000_000,
  'sys/class/powercap/intel-rapl:0/max_energy_range_uj': 10_000_000,
  'sys/class/powercap/intel-rapl:0:0/name': 'core',
  'sys/class/powercap/intel-rapl:0:0/energy_uj': 5,
  'sys/devices/system/edac/mc/mc0/ce_count': 5,
  'sys/devices/system/edac/mc/mc0/ue_count': 0,
  'sys/devices/system/edac/mc/mc1/ce_count': 2,
  'sys/devices/system/edac/mc/mc1/ue_count': 1,
  'proc/interrupts':
    '     CPU0 CPU1\nNMI:  9  9  Non-maskable\nMCE:  1  2  Machine check exceptions\nMCP:  7  7  polls',
};

test('every sensor of a machine is read, of its own CPUs alone, and nothing is said to be missing', async () => {
  const { read, write, pass } = machine(INTEL);
  await read();
  pass(1_000);
  write({ 'sys/class/powercap/intel-rapl:0/energy_uj': 43_500_000 });
  assert.deepEqual(await read(), {
    values: {
      temperature_c: 64.5,
      clock_mean_mhz: 2500,
      clock_min_mhz: 2000,
      power_w: 42.5,
      throttle_core_events: 7,
      throttle_package_events: 9,
      memory_corrected_errors: 7,
      memory_uncorrected_errors: 1,
      machine_checks: 3,
    },
    texts: {},
  });
});

test('an energy counter that ran over is counted through its end', async () => {
  const { read, write, pass } = machine(INTEL);
  write({ 'sys/class/powercap/intel-rapl:0/energy_uj': 9_000_000 });
  await read();
  pass(2_000);
  write({ 'sys/class/powercap/intel-rapl:0/energy_uj': 1_000_000 });
  const { power_w: watts } = (await read())?.values ?? {};
  assert.equal(watts, 1);
});

test('a machine that offers nothing has no value, and says so', async () => {
  assert.deepEqual(await machine({}).read(), {
    values: {},
    texts: { not_offered: 'temperature, clock, throttling, power, memory ECC, machine checks' },
  });
});

test('what cannot be read or is no number is absent, zero is a value', async () => {
  const reading = await machine({
    'sys/class/hwmon/hwmon0/name': 'k10temp',
    'sys/class/hwmon/hwmon0/temp1_label': 'Tctl',
    'sys/class/hwmon/hwmon0/temp1_input': 'N/A',
    'sys/devices/system/edac/mc/mc0/ue_count': 0,
  }).read();
  assert.deepEqual(reading?.values, { memory_uncorrected_errors: 0 });
});

import { EXIT } from '@sentinel/service-kit/errors';
import { devicesOf, type Testbed } from '../identity/testbed.js';
import type { Answered } from './answered.js';
import { ranges } from './ranges.js';
import { table } from './table.js';

/** The devices that the agent would test. GPUs are opened for it, since only then it is known what they can run. */
export async function listGpus(testbed: Testbed): Promise<Answered> {
  const devices = devicesOf(testbed);
  await Promise.all(devices.filter(({ backend }) => backend === 'gpu').map((device) => device.selfTest()));
  const rows = devices.map((device) => {
    const { id, model, driverVersion, note } = device.describe();
    const notes = [driverVersion, note].filter((part) => part !== '').join('; ');
    return [id, model, ranges(device.sms), device.families.join(','), notes];
  });
  const absent = new Set(
    devices.flatMap(({ backend, id, notScheduled }) =>
      notScheduled.map(
        ({ family, reason }) => `${family} cannot run ${backend === 'cpu' ? 'here' : `on ${id}`}: ${reason}\n`,
      ),
    ),
  );
  const remarks = testbed.remarks.map(({ sentence }) => `${sentence}\n`);
  const text = table(['DEVICE', 'MODEL', 'SMS', 'FAMILIES', 'NOTE'], rows) + [...absent, ...remarks].join('');
  return { text, exitCode: EXIT.ok };
}

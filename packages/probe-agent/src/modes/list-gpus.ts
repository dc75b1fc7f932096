import { describeDevice } from '../identity/devices.js';
import { devicesOf, type Testbed } from '../identity/testbed.js';
import type { Settings } from '../settings.js';
import { table } from './table.js';

/** The devices that the agent would test. */
export async function listGpus(settings: Settings, { info }: Testbed): Promise<{ text: string; exitCode: number }> {
  const rows = devicesOf(settings, info, false).map(({ id, sms, families }) => {
    const { model, driverVersion, note } = describeDevice(id, sms, info, new Map());
    return [
      id,
      model,
      sms.join(','),
      families.join(','),
      [driverVersion, note].filter((part) => part !== '').join('; '),
    ];
  });
  const absent = info.families
    .filter(({ available }) => !available)
    .map(({ name, missing }) => `${name} cannot run here: this CPU has no ${missing ?? 'support for it'}\n`);
  return { text: table(['DEVICE', 'MODEL', 'SMS', 'FAMILIES', 'NOTE'], rows) + absent.join(''), exitCode: 0 };
}

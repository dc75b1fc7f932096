import { randomInt } from 'node:crypto';
import type { ExecuteReport } from '@sentinel/native-probes';
import { EXIT } from '@sentinel/service-kit/errors';
import { availableFamilies } from '../identity/devices.js';
import { devicesOf, type Testbed } from '../identity/testbed.js';
import { goldenCpus } from '../scheduler/golden-cpus.js';
import { epochAt } from '../scheduler/seed-indices.js';
import type { Settings } from '../settings.js';
import { table } from './table.js';

const TIMEOUT_MS = 60_000;

/** Seed indices of a sweep by hand: an agent that runs beside it counts from 0 and does not come here. */
const FIRST_INDEX = 2 ** 31;
const LAST_INDEX = 2 ** 32 - 1;

/** One sweep of all families over all SMs. Anything but a PASS, NOT_RUN included, is a negative answer. */
export async function once(settings: Settings, testbed: Testbed): Promise<{ text: string; exitCode: number }> {
  const rows: string[][] = [];
  for (const { id, sms } of devicesOf(settings, testbed.info, false)) {
    for (const family of availableFamilies(testbed.info)) {
      const request = {
        family,
        epoch: epochAt(Date.now()),
        index: randomInt(FIRST_INDEX, LAST_INDEX),
        sms: [...sms],
        goldenCpus: goldenCpus(testbed.info.cpus, sms, 0),
      };
      const reply = await testbed.child.ask('execute', request, TIMEOUT_MS);
      if (reply.kind === 'answer') rows.push(...rowsOf(id, family, reply.value));
      else rows.push(...sms.map((sm) => [id, family, String(sm), 'ERROR', '', reply.reason]));
    }
  }
  const passed = rows.length > 0 && rows.every(([, , , result]) => result === 'PASS');
  const text = table(['DEVICE', 'FAMILY', 'SM', 'RESULT', 'US', 'NOTE'], rows);
  return { text, exitCode: passed ? EXIT.ok : EXIT.negative };
}

function rowsOf(device: string, family: string, report: ExecuteReport): string[][] {
  return report.results.map(({ sm, result, durationUs, reason, mismatch }) => {
    const wrong =
      mismatch === null
        ? ''
        : `${mismatch.mismatchCount} wrong, first in lane ${mismatch.lane}, iteration ${mismatch.iteration}`;
    return [device, family, String(sm), result, durationUs.toFixed(0), reason ?? wrong];
  });
}

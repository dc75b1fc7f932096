import { randomInt } from 'node:crypto';
import type { ExecuteReport, SmResult } from '@sentinel/native-probes';
import { EXIT } from '@sentinel/service-kit/errors';
import type { Testbed } from '../identity/testbed.js';
import type { TestedDevice } from '../identity/tested-device.js';
import { goldenCpus } from '../scheduler/golden-cpus.js';
import { epochAt } from '../scheduler/seed-indices.js';
import type { Answered } from './answered.js';
import { ranges } from './ranges.js';
import { table } from './table.js';

const TIMEOUT_MS = 60_000;

/** Seed indices of a sweep by hand: an agent that runs beside it counts from 0 and does not come here. */
const FIRST_INDEX = 2 ** 31;
const LAST_INDEX = 2 ** 32 - 1;

interface Row {
  readonly family: string;
  readonly sms: readonly number[];
  readonly result: string;
  readonly us: string;
  readonly note: string;
}

/** One sweep of all families over all SMs. Anything but a PASS, NOT_RUN included, is a negative answer. */
export async function once(testbed: Testbed): Promise<Answered> {
  const swept = await Promise.all(testbed.lanes.map(({ devices }) => sweepLane(devices, testbed.info.cpus)));
  const rows = swept.flat();
  const passed = rows.length > 0 && rows.every(([, , , result]) => result === 'PASS');
  const text = table(['DEVICE', 'FAMILY', 'SM', 'RESULT', 'US', 'NOTE'], rows);
  const remarks = testbed.remarks.map(({ sentence }) => `${sentence}\n`).join('');
  return { text: text + remarks, exitCode: passed ? EXIT.ok : EXIT.negative };
}

async function sweepLane(devices: readonly TestedDevice[], cpus: readonly number[]): Promise<string[][]> {
  const rows: string[][] = [];
  for (const device of devices) {
    for (const { family, sms, result, us, note } of await sweep(device, cpus)) {
      rows.push([device.id, family, ranges(sms), result, us, note]);
    }
  }
  return rows;
}

async function sweep(device: TestedDevice, cpus: readonly number[]): Promise<Row[]> {
  if (device.backend === 'gpu') await device.selfTest();
  const rows: Row[] = [];
  for (const family of device.families) {
    const request = {
      family,
      epoch: epochAt(Date.now()),
      index: randomInt(FIRST_INDEX, LAST_INDEX),
      sms: [...device.sms],
      goldenCpus: goldenCpus(cpus, device.backend === 'gpu' ? [] : device.sms, 0),
    };
    const reply = await device.execute(request, TIMEOUT_MS);
    if (reply.kind === 'answer') rows.push(...rowsOf(device.backend, family, reply.value.report));
    else rows.push({ family, sms: device.sms, result: 'ERROR', us: '', note: reply.reason });
  }
  const untrusted = device.notScheduled.filter(({ failedSelfTest }) => failedSelfTest);
  const left = untrusted.map(({ family, reason }) => ({
    family,
    sms: device.sms,
    result: 'NOT_RUN',
    us: '',
    note: reason,
  }));
  return [...rows, ...left];
}

/** A row for each logical CPU; on a GPU one for all SMs that fared alike. */
function rowsOf(backend: TestedDevice['backend'], family: string, { results }: ExecuteReport): Row[] {
  if (backend === 'cpu') return results.map((result) => rowOf(family, [result]));
  const alike = Map.groupBy(results, (result) => `${result.result} ${noteOf(result)}`);
  return [...alike.values()].map((group) => rowOf(family, group));
}

function rowOf(family: string, alike: readonly SmResult[]): Row {
  const slowest = Math.max(...alike.map(({ durationUs }) => durationUs));
  const [first] = alike;
  const sms = alike.map(({ sm }) => sm);
  return {
    family,
    sms,
    result: first?.result ?? '',
    us: slowest.toFixed(0),
    note: first === undefined ? '' : noteOf(first),
  };
}

function noteOf({ reason, mismatch }: SmResult): string {
  if (mismatch === null) return reason ?? '';
  const { mismatchCount, lane, iteration, gpu } = mismatch;
  if (gpu === undefined) return reason ?? `${mismatchCount} wrong, first in lane ${lane}, iteration ${iteration}`;
  const last = iteration + gpu.withinIterations - 1;
  return `${mismatchCount} wrong, first in sub-partition ${gpu.subPartition}, lane ${lane}, within iterations ${iteration}..${last}`;
}

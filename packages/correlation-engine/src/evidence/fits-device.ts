import type { BatchProblem } from './check-batch.js';
import type { RunColumns } from './record.js';

/**
 * What a batch claims of a device that the device cannot do: more SMs planned, or run beside the failing one, than it has.
 * @param smsOf how many SMs a device has; undefined = not known
 */
export function checkFits(
  batch: RunColumns,
  smsOf: (deviceId: string) => number | undefined,
): BatchProblem | undefined {
  const sizes = batch.deviceIds.map((id) => smsOf(id) ?? Number.POSITIVE_INFINITY);
  const sizeOf = (row: number): number => sizes[batch.deviceIndex[row] as number] as number;
  for (let row = 0; row < batch.family.length; row += 1) {
    // No more ran than were planned.
    if ((batch.smsPlanned[row] as number) > sizeOf(row))
      return { field: `sms_planned[${row}]`, hint: `is ${batch.smsPlanned[row]} on a device with ${sizeOf(row)} SMs` };
  }
  for (const [i, { run, siblingsRun }] of batch.mismatches.entries()) {
    if (siblingsRun < sizeOf(run)) continue;
    const hint = `is ${siblingsRun} on a device with ${sizeOf(run)} SMs, the failing one among them`;
    return { field: `mismatches[${i}].siblings_run`, hint };
  }
  return undefined;
}

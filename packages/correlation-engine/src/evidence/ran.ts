import type { RunColumns } from './record.js';

/** Did the SM run to a PASS or FAIL in this row? What the columns do not say was not run. `sms` = those of the device. */
export function ranOnSm(batch: RunColumns, row: number, sms: readonly number[], sm: number): boolean {
  return ranIn(batch, row, sms)(sm);
}

/** The same, to be asked of many SMs. */
export function ranIn(batch: RunColumns, row: number, sms: readonly number[]): (sm: number) => boolean {
  const run = batch.smsRun[row] ?? 0;
  if (run === 0) return () => false;
  const partial = batch.partial.find((entry) => entry.run === row);
  if (partial !== undefined) return (sm) => hasBit(partial.ran, sms.indexOf(sm));
  const single = batch.singleSm[row] ?? 0;
  if (single > 0) return (sm) => sms[single - 1] === sm;
  // SMs are numbered from 0 on nearly every device.
  return run === sms.length ? (sm) => sms[sm] === sm || sms.includes(sm) : () => false;
}

function hasBit(bytes: Uint8Array, index: number): boolean {
  return index >= 0 && (((bytes[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
}

/** Executions of the row's device and family in the rows before it. */
export function executionsBefore(batch: RunColumns, row: number): number {
  let sum = 0;
  for (let before = 0; before < row; before += 1) {
    const alike = batch.family[before] === batch.family[row] && batch.deviceIndex[before] === batch.deviceIndex[row];
    if (alike) sum += batch.smsRun[before] ?? 0;
  }
  return sum;
}

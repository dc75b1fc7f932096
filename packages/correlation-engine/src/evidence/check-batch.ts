import { DEVICE_ID_RULE, isDeviceId } from './device-id.js';
import { RunKind } from './model/terms.js';
import type { RunColumns } from './record.js';

/** Bounds of one batch: far above what an agent sends, far below what would hurt. */
export const MAX_RUNS_PER_BATCH = 4096;
const MAX_MISMATCHES_PER_BATCH = 16_384;
const MAX_WORDS = 64;
const MAX_CANARIES_PER_BATCH = 256;
const MAX_DIGESTS = 1024;
const MAX_NAMES_PER_BATCH = 1024;
const MAX_NAME_LENGTH = 128;
const MAX_SM = 65_535;
const MAX_FAMILY = 255;
const MAX_KIND = 7;

export interface BatchProblem {
  /** Dotted path inside ProbeBatch. */
  field: string;
  hint: string;
}

type Column = Exclude<
  keyof RunColumns,
  | 'baseTimeUs'
  | 'deviceIds'
  | 'directiveIds'
  | 'contextIndex'
  | 'contexts'
  | 'partial'
  | 'mismatches'
  | 'outcomes'
  | 'canaries'
>;

/** Every column with the smallest and largest value that means something. */
const COLUMNS: readonly [Column, string, (batch: RunColumns) => number, number][] = [
  ['deviceIndex', 'device_index', (batch) => batch.deviceIds.length - 1, 0],
  ['family', 'family', () => MAX_FAMILY, 1],
  ['kind', 'kind', () => MAX_KIND, 1],
  ['epoch', 'epoch', () => 0xffffffff, 0],
  ['index', 'index', () => 0xffffffff, 0],
  ['startOffsetUs', 'start_offset_us', () => 0xffffffff, 0],
  ['durationUs', 'duration_us', () => 0xffffffff, 0],
  ['smsPlanned', 'sms_planned', () => MAX_SM, 0],
  ['smsRun', 'sms_run', () => MAX_SM, 0],
  ['singleSm', 'single_sm', () => MAX_SM, 0],
  ['flags', 'flags', () => 0xffffffff, 0],
  ['goldenDigest', 'golden_digest', () => 0xffffffff, 0],
  ['directiveIndex', 'directive_index', (batch) => batch.directiveIds.length, 0],
];

/**
 * What is wrong with an authentic batch that no honest agent would send; undefined = nothing. The shell refuses such a batch
 * with INVALID_ARGUMENT before it is committed, so `apply` may trust the columns.
 */
export function checkBatch(batch: RunColumns): BatchProblem | undefined {
  const runs = batch.family.length;
  if (runs > MAX_RUNS_PER_BATCH)
    return { field: 'family', hint: `${runs} runs in one batch; send at most ${MAX_RUNS_PER_BATCH}` };
  const name =
    checkNames(batch.deviceIds, 'device_ids', isDeviceId, DEVICE_ID_RULE) ??
    checkNames(batch.directiveIds, 'directive_ids', isDirectiveId, `must have 1 to ${MAX_NAME_LENGTH} characters`);
  if (name !== undefined) return name;
  for (const [key, field, largest, smallest] of COLUMNS) {
    const problem = checkColumn(batch[key], field, runs, smallest, largest(batch));
    if (problem !== undefined) return problem;
  }
  // Agents of earlier releases know no circumstances.
  if (batch.contextIndex.length > 0) {
    const problem = checkColumn(batch.contextIndex, 'context_index', runs, 0, batch.contexts.length);
    if (problem !== undefined) return problem;
  }
  for (let row = 0; row < runs; row += 1) {
    if ((batch.smsRun[row] as number) > (batch.smsPlanned[row] as number)) {
      return { field: `sms_run[${row}]`, hint: 'more SMs ran than were planned' };
    }
  }
  return batch.mismatches.length + batch.partial.length + batch.outcomes.length + (batch.canaries?.length ?? 0) === 0
    ? undefined
    : checkSparse(batch, runs);
}

function isDirectiveId(text: string): boolean {
  return text !== '' && text.length <= MAX_NAME_LENGTH;
}

function checkNames(
  names: readonly string[],
  field: string,
  isName: (text: string) => boolean,
  rule: string,
): BatchProblem | undefined {
  if (names.length > MAX_NAMES_PER_BATCH)
    return { field, hint: `has ${names.length} entries; send at most ${MAX_NAMES_PER_BATCH}` };
  const wrong = names.findIndex((name) => !isName(name));
  return wrong < 0 ? undefined : { field: `${field}[${wrong}]`, hint: rule };
}

function checkColumn(
  column: readonly number[],
  field: string,
  runs: number,
  smallest: number,
  largest: number,
): BatchProblem | undefined {
  if (column.length !== runs) return { field, hint: `has ${column.length} values for ${runs} runs` };
  for (let row = 0; row < runs; row += 1) {
    const value = column[row] as number;
    if (!(value >= smallest && value <= largest))
      return { field: `${field}[${row}]`, hint: `${value} is outside ${smallest}..${largest}` };
  }
  return undefined;
}

function checkSparse(batch: RunColumns, runs: number): BatchProblem | undefined {
  if (batch.mismatches.length > MAX_MISMATCHES_PER_BATCH) {
    return {
      field: 'mismatches',
      hint: `${batch.mismatches.length} mismatches in one batch; send at most ${MAX_MISMATCHES_PER_BATCH}`,
    };
  }
  for (const [i, entry] of batch.outcomes.entries())
    if (entry.run >= runs) return { field: `outcomes[${i}].run`, hint: 'names no row' };
  return checkPartial(batch, runs) ?? checkMismatches(batch, runs) ?? checkCanaries(batch, runs);
}

/** Each bitmap names as many SMs as its row says ran: an SM that is in neither was not run. */
function checkPartial(batch: RunColumns, runs: number): BatchProblem | undefined {
  const seen = new Set<number>();
  for (const [i, { run, ran }] of batch.partial.entries()) {
    const at = `partial[${i}]`;
    if (run >= runs) return { field: `${at}.run`, hint: 'names no row' };
    if (seen.has(run)) return { field: `${at}.run`, hint: 'repeats an earlier row' };
    seen.add(run);
    const bits = countBits(ran);
    if (bits !== batch.smsRun[run])
      return { field: `${at}.ran`, hint: `names ${bits} SMs where sms_run is ${batch.smsRun[run]}` };
  }
  return undefined;
}

function countBits(bytes: Uint8Array): number {
  let bits = 0;
  for (let byte of bytes) for (; byte !== 0; byte &= byte - 1) bits += 1;
  return bits;
}

function checkMismatches(batch: RunColumns, runs: number): BatchProblem | undefined {
  const seen = new Set<number>();
  for (const [i, mismatch] of batch.mismatches.entries()) {
    const at = `mismatches[${i}]`;
    if (mismatch.run >= runs) return { field: `${at}.run`, hint: 'names no row' };
    if (mismatch.sm > MAX_SM) return { field: `${at}.sm`, hint: `is above ${MAX_SM}` };
    const words = Math.max(mismatch.operands.length, mismatch.expected.length, mismatch.actual.length);
    if (words > MAX_WORDS) return { field: at, hint: `has ${words} words; send at most ${MAX_WORDS}` };
    const { siblingsRun, siblingsPassed, siblingsSameDigest } = mismatch;
    if (siblingsRun > MAX_SM) return { field: `${at}.siblings_run`, hint: `is above ${MAX_SM}` };
    if (siblingsPassed + siblingsSameDigest > siblingsRun)
      return {
        field: `${at}.siblings_run`,
        hint: 'is less than the siblings that passed or gave the same wrong digest',
      };
    const key = mismatch.run * (MAX_SM + 1) + mismatch.sm;
    if (seen.has(key)) return { field: at, hint: 'repeats an earlier (run, sm)' };
    seen.add(key);
  }
  return failuresFit(batch, runs);
}

/** A device takes part in few canaries at a time, and each names every SM of it once. */
function checkCanaries(batch: RunColumns, runs: number): BatchProblem | undefined {
  const canaries = batch.canaries ?? [];
  if (canaries.length > MAX_CANARIES_PER_BATCH)
    return { field: 'canaries', hint: `has ${canaries.length} entries; send at most ${MAX_CANARIES_PER_BATCH}` };
  const seen = new Set<number>();
  for (const [i, { run, digests }] of canaries.entries()) {
    const at = `canaries[${i}]`;
    if (run >= runs || batch.kind[run] !== RunKind.CANARY) return { field: `${at}.run`, hint: 'names no canary' };
    if (seen.has(run)) return { field: `${at}.run`, hint: 'repeats an earlier row' };
    seen.add(run);
    if (digests.length > MAX_DIGESTS)
      return { field: `${at}.digests`, hint: `has ${digests.length} values; send at most ${MAX_DIGESTS}` };
  }
  return undefined;
}

/** A failing SM also ran. */
function failuresFit(batch: RunColumns, runs: number): BatchProblem | undefined {
  const failures = new Uint32Array(runs);
  for (const mismatch of batch.mismatches) failures[mismatch.run] = (failures[mismatch.run] as number) + 1;
  const row = failures.findIndex((count, i) => count > (batch.smsRun[i] as number));
  return row < 0 ? undefined : { field: `sms_run[${row}]`, hint: 'fewer SMs ran than failed' };
}

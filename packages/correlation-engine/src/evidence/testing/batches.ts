import { RunFlag, RunKind } from '../model/terms.js';
import type { Mismatch, RunColumns, RunContext } from '../record.js';

export const FMA32 = 1;
export const INT_AES = 2;
/** A family whose golden belongs to one architecture. */
export const MODEL_FAMILY = 14;
export const GOLDEN = 0x600d_600d;
export const SMS = [0, 1, 2, 3];
export const CLEAN_FLAGS = RunFlag.GOLDEN_INTACT | RunFlag.GOLDEN_AGREED;

/** One run; whatever is left out is that of a clean scheduled fma32 run on all four SMs. */
export interface RunSpec {
  device?: string;
  family?: number;
  kind?: number;
  epoch?: number;
  index?: number;
  offsetUs?: number;
  /** Those of the device; SMS if left out. */
  sms?: readonly number[];
  /** SMs that ran, of these: all, some, or none. */
  ran?: readonly number[];
  /** The run was meant for this SM alone. */
  single?: number;
  flags?: number;
  directive?: string;
  context?: RunContext;
  fails?: readonly (Partial<Mismatch> & { sm: number })[];
}

export function mismatch(fields: Partial<Mismatch> & { sm: number }): Mismatch {
  return {
    run: 0,
    lane: 5,
    iteration: 77,
    operands: [1, 2, 3],
    expected: [10],
    actual: [11],
    expectedDigest: GOLDEN,
    actualDigest: 0xbad0 + fields.sm,
    mismatchCount: 1,
    siblingsRun: SMS.length - 1,
    siblingsPassed: SMS.length - 1,
    siblingsSameDigest: 0,
    smStable: true,
    ...fields,
  };
}

/** `n` executions of one unit, each a run of its own. */
export function repeat(count: number, spec: RunSpec): RunSpec[] {
  return Array.from({ length: count }, (_, index) => ({ index: index + 1, ...spec }));
}

interface Row {
  spec: RunSpec;
  planned: number;
  ran: readonly number[];
}

/** Columns as an agent sends them. `device` names the device of runs that name none. */
export function columns(baseTimeUs: number, device: string, specs: readonly RunSpec[]): RunColumns {
  const rows = specs.map(rowOf);
  const deviceIds = [...new Set(specs.map((spec) => spec.device ?? device))];
  const directiveIds = [...new Set(specs.flatMap((spec) => spec.directive ?? []))];
  const contexts = specs.flatMap((spec) => spec.context ?? []);
  const column = (of: (row: Row) => number): number[] => rows.map(of);
  return {
    baseTimeUs: BigInt(baseTimeUs),
    deviceIds,
    directiveIds,
    deviceIndex: column(({ spec }) => deviceIds.indexOf(spec.device ?? device)),
    family: column(({ spec }) => spec.family ?? FMA32),
    kind: column(({ spec }) => spec.kind ?? RunKind.SCHEDULED),
    epoch: column(({ spec }) => spec.epoch ?? Math.floor(baseTimeUs / 10_000_000)),
    index: column(({ spec }) => spec.index ?? 0),
    startOffsetUs: column(({ spec }) => spec.offsetUs ?? 0),
    durationUs: column(() => 2500),
    smsPlanned: column(({ planned }) => planned),
    smsRun: column(({ ran }) => ran.length),
    singleSm: column(({ spec }) => (spec.single === undefined ? 0 : (spec.sms ?? SMS).indexOf(spec.single) + 1)),
    flags: column(({ spec }) => spec.flags ?? CLEAN_FLAGS),
    goldenDigest: column(() => GOLDEN),
    contextIndex: column(({ spec }) => (spec.context === undefined ? 0 : contexts.indexOf(spec.context) + 1)),
    contexts,
    directiveIndex: column(({ spec }) => (spec.directive === undefined ? 0 : directiveIds.indexOf(spec.directive) + 1)),
    partial: rows.flatMap(partialOf),
    mismatches: rows.flatMap(({ spec }, run) => (spec.fails ?? []).map((fields) => mismatch({ ...fields, run }))),
    outcomes: [],
  };
}

function rowOf(spec: RunSpec): Row {
  const sms = spec.single === undefined ? (spec.sms ?? SMS) : [spec.single];
  return { spec, planned: sms.length, ran: spec.ran ?? sms };
}

function partialOf({ planned, ran }: Row, run: number): { run: number; ran: Uint8Array }[] {
  if (ran.length === planned || ran.length === 0) return [];
  return [{ run, ran: Uint8Array.of(ran.reduce((bits, sm) => bits | (1 << SMS.indexOf(sm)), 0)) }];
}

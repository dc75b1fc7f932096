import { type BatchRecord, RunFlag, type RunKind } from '@sentinel/correlation-engine/core';

type Kind = (typeof RunKind)[keyof typeof RunKind];

/** One run as an agent reports it. */
export interface SimulatedRun {
  readonly family: number;
  readonly kind: Kind;
  readonly timeUs: number;
  /** SMs that the run was meant for and reached: all of the device, or one. */
  readonly sms: readonly number[];
  readonly failing: readonly { readonly sm: number; readonly digest: number }[];
  /** SMs of the device that ran this seed besides the failing one, the agent's sibling runs included, and those that passed. */
  readonly siblingsRun: number;
  readonly siblingsPassed: number;
  /** Of a run on one SM: other SMs that gave the same wrong digest for its seed. */
  readonly siblingsAlike?: number;
  readonly directive: string;
  /** The agent's golden was as it was computed. */
  readonly goldenIntact: boolean;
  readonly temperatureC: number;
}

const DURATION_US = 2_000;
/** Seeds follow from wall time: every device of a fleet computes the same thing in the same ten seconds. */
const EPOCH_US = 10_000_000;
const INTACT = RunFlag.GOLDEN_INTACT | RunFlag.GOLDEN_AGREED;
const WORD = 0x9e37_79b9;

/** What every device that computes rightly gets for a seed. */
export function goldenOf(family: number, timeUs: number): number {
  return mix(family, epochOf(timeUs), 0x60) >>> 0;
}

/** A wrong digest that everything shares which fails this seed for the same reason. */
export function sharedDigest(fault: string, family: number, timeUs: number): number {
  let word = 0;
  for (const character of fault) word = mix(word, character.codePointAt(0) ?? 0, 0x5a);
  return differing(mix(word, family, epochOf(timeUs)) >>> 0, goldenOf(family, timeUs));
}

/** A wrong digest of its own. */
export function ownDigest(word: number, family: number, timeUs: number): number {
  return differing(word, goldenOf(family, timeUs));
}

/** The columns of one record. `allSms` = those of the device, `skewUs` = how far the node's clock is ahead. */
export function batchOf(
  runs: readonly SimulatedRun[],
  deviceId: string,
  allSms: readonly number[],
  skewUs: number,
): BatchRecord['batch'] {
  const baseUs = Math.min(...runs.map(({ timeUs }) => timeUs));
  const directiveIds = [...new Set(runs.flatMap(({ directive }) => (directive === '' ? [] : directive)))];
  const temperatures = [...new Set(runs.map(({ temperatureC }) => temperatureC))];
  const column = (of: (run: SimulatedRun) => number): number[] => runs.map(of);
  return {
    baseTimeUs: BigInt(baseUs + skewUs),
    deviceIds: [deviceId],
    directiveIds,
    deviceIndex: column(() => 0),
    family: column(({ family }) => family),
    kind: column(({ kind }) => kind),
    epoch: column(({ timeUs }) => epochOf(timeUs)),
    index: column(({ timeUs }) => Math.floor(timeUs / 1000) % (EPOCH_US / 1000)),
    startOffsetUs: column(({ timeUs }) => timeUs - baseUs),
    durationUs: column(() => DURATION_US),
    smsPlanned: column(({ sms }) => sms.length),
    smsRun: column(({ sms }) => sms.length),
    singleSm: column(({ sms }) => (sms.length === 1 && allSms.length > 1 ? allSms.indexOf(sms[0] ?? 0) + 1 : 0)),
    flags: column(({ goldenIntact }) => (goldenIntact ? INTACT : RunFlag.GOLDEN_AGREED)),
    goldenDigest: column(({ family, timeUs }) => goldenOf(family, timeUs)),
    directiveIndex: column(({ directive }) => directiveIds.indexOf(directive) + 1),
    contexts: temperatures.map((temperatureC) => ({ temperatureC })),
    contextIndex: column(({ temperatureC }) => temperatures.indexOf(temperatureC) + 1),
    partial: [],
    mismatches: runs.flatMap((run, row) => mismatchesOf(run, row)),
    outcomes: [],
  };
}

function mismatchesOf(run: SimulatedRun, row: number): BatchRecord['batch']['mismatches'][number][] {
  const golden = goldenOf(run.family, run.timeUs);
  return run.failing.map(({ sm, digest }) => ({
    run: row,
    sm,
    lane: digest % 64,
    iteration: digest % 32,
    operands: [],
    expected: [golden],
    actual: [digest],
    expectedDigest: golden,
    actualDigest: digest,
    mismatchCount: 1,
    siblingsRun: run.siblingsRun,
    siblingsPassed: run.siblingsPassed,
    siblingsSameDigest: run.siblingsAlike ?? run.failing.filter((other) => other.digest === digest).length - 1,
    smStable: true,
  }));
}

function epochOf(timeUs: number): number {
  return Math.floor(timeUs / EPOCH_US);
}

function differing(word: number, golden: number): number {
  return word === golden ? (word ^ 1) >>> 0 : word;
}

/** Spreads three words over one: a seed of a simulated digest, no more. */
function mix(a: number, b: number, c: number): number {
  let x = (Math.imul(a ^ WORD, 0x85eb_ca6b) ^ Math.imul(b, 0xc2b2_ae35) ^ c) >>> 0;
  x ^= x >>> 15;
  x = Math.imul(x, 0x2c1b_3c6d);
  x ^= x >>> 12;
  return Math.imul(x, 0x297a_2d39) ^ (x >>> 15);
}

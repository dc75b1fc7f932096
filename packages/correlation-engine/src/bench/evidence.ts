import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { bench } from '@sentinel/bench-kit';
import { apply, begin, type CoreState, emptyState, type HelloRecord, install, type UnitState } from '../core.js';
import { posteriorOdds } from '../evidence/decision.js';
import { asksForRates, learnRates } from '../evidence/posterior/rates.js';
import { neverFailed } from '../evidence/posterior/recursion.js';
import { type Beliefs, failed, firstFailure, passed } from '../evidence/posterior/unit.js';
import { columns } from '../evidence/testing/batches.js';
import { CONFIG } from '../evidence/testing/config.js';
import { deviceWith, draftOf, familyWith, NOW_US, unitWith } from '../evidence/testing/device.js';

const SMS = Array.from({ length: 132 }, (_, sm) => sm);
const FAMILIES = [1, 2, 3, 4, 5, 6, 7];
const UNITS = SMS.length * FAMILIES.length;
const HOUR_US = 3_600_000_000;
const PER_YEAR = CONFIG.attribution.unit_defects_per_gpu_year / UNITS;
const BELIEFS: Beliefs = {
  thetas: CONFIG.attribution.failure_probabilities,
  onset: { perHour: PER_YEAR / 8766, start: PER_YEAR },
  lambda: CONFIG.attribution.healthy_failure_rate,
  otherBinWeight: CONFIG.attribution.other_bin_weight,
};
const BEFORE = neverFailed(BELIEFS.thetas, BELIEFS.onset, 80_640, 1344);

/** What evidence costs: time per update, and memory per unit. */
export default bench({
  name: 'evidence',
  async run({ quick, log }) {
    const units = quick ? 20_000 : 100_000;
    const gpus = quick ? 10_000 : 100_000;
    log('updates of one unit after another');
    updates(units);
    const updates_per_second = updates(quick ? 200_000 : 2_000_000);
    log(`memory of ${units} units that failed, and of clean ones`);
    const figures = {
      updates_per_second,
      bytes_per_clean_unit: bytesPerCleanUnit(128),
      bytes_per_failed_unit: bytesEach(units, posterior),
      bytes_per_failed_unit_with_counts: bytesEach(units, unit),
      decision_us: decisionUs(quick ? 2_000 : 20_000),
    };
    log(`rates of ${gpus} devices`);
    return { figures: { ...figures, rates_us_per_device: (learnMs(gpus) * 1000) / gpus } };
  },
});

/** Each update counts clean executions and folds them at a failure, of one of many units in turn. */
function updates(count: number): number {
  const units = Array.from({ length: 1000 }, () => firstFailure(BEFORE, BELIEFS, report(0)));
  const started = performance.now();
  for (let i = 0; i < count; i += 1) {
    const at = i % units.length;
    const known = units[at];
    if (known !== undefined) units[at] = failed(passed(known, 10_000, 0), BELIEFS, report((i + 1) * HOUR_US));
  }
  return (count / (performance.now() - started)) * 1000;
}

function report(timeUs: number) {
  return { executions: 1, failures: 1, timeUs, bin: 0 };
}

function posterior(i: number) {
  return passed(firstFailure(BEFORE, BELIEFS, report(NOW_US + i)), i, 0);
}

function unit(i: number): UnitState {
  return unitWith({
    sm: i,
    counted: 1,
    digest: 0xdead_beef,
    firstUs: NOW_US + i,
    lastUs: NOW_US + i,
    posterior: posterior(i),
  });
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heapBytes(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

/** Heap of one of many, without the list that holds them. */
function bytesEach(count: number, make: (i: number) => object): number {
  const held: object[] = Array.from({ length: count }, () => BEFORE);
  const before = heapBytes();
  for (let i = 0; i < count; i += 1) held[i] = make(i);
  const bytes = heapBytes() - before;
  if (held.at(-1) === BEFORE) throw new Error('nothing was made');
  return bytes / count;
}

/** Growth of the engine's state by clean executions of units that all ran before, per unit. */
function bytesPerCleanUnit(devices: number): number {
  const state = emptyState(CONFIG);
  const nodes = Array.from({ length: devices }, (_, i) => `node-${i}`);
  let commitSeq = 0;
  const commit = (record: Parameters<typeof apply>[2]): void => {
    commitSeq += 1;
    const draft = begin(state);
    apply(draft, { commitSeq, nowUs: NOW_US + commitSeq * 1000 }, record);
    install(draft);
  };
  const sweep = (node: string, sequence: number): void => {
    const runs = FAMILIES.map((family) => ({ family, sms: SMS }));
    const origin = { node, spoolId: '0'.repeat(32), sequence, buildId: 'bench', testBuild: false };
    commit({ kind: 'batch', ...origin, batch: columns(NOW_US, `GPU-${node}`, runs) });
  };
  for (const node of nodes) commit(hello(node));
  for (let i = 1; i < 20; i += 1) for (const node of nodes) sweep(node, i);
  const before = heapBytes();
  for (let i = 20; i < 60; i += 1) for (const node of nodes) sweep(node, i);
  const grown = heapBytes() - before;
  if (unitsOf(state) !== 0) throw new Error('a clean unit was stored');
  return Math.max(0, Math.round(grown / (devices * UNITS)));
}

function unitsOf(state: CoreState): number {
  return [...state.devices.values()].reduce((sum, device) => sum + device.units.length, 0);
}

function hello(node: string): HelloRecord {
  const family = { probeVersion: 1, selfTestSmsRun: 132, selfTestSmsPassed: 132, instructions: [] };
  const device = { model: 'bench', vendor: 'bench', sms: SMS, driverVersion: '1', serial: '', note: '' };
  return {
    kind: 'hello',
    node,
    identity: 'shared key',
    buildId: 'bench',
    testBuild: false,
    agentTimeUs: NOW_US,
    devices: [{ ...device, id: `GPU-${node}`, families: FAMILIES.map((id) => ({ family: id, ...family })) }],
  };
}

/** A whole decision about a suspect with one failing unit. */
function decisionUs(count: number): number {
  const families = FAMILIES.map((family) => familyWith({ family }));
  const suspect = deviceWith('d', { state: 'SUSPECT', sms: SMS, families, units: [unit(1)] });
  const facts = draftOf([suspect]);
  const started = performance.now();
  for (let i = 0; i < count; i += 1) posteriorOdds.assess(suspect, null, NOW_US + i, facts);
  return ((performance.now() - started) * 1000) / count;
}

/** One learning of the rates of healthy devices. */
function learnMs(devices: number): number {
  const families = FAMILIES.map((family) => familyWith({ family }));
  const draft = draftOf(
    Array.from({ length: devices }, (_, i) => deviceWith(`d${i}`, { node: 'node', families, sms: SMS })),
  );
  for (const { id } of draft.base.devices.values()) {
    const counts = { runs: 1, executions: 1e6, failures: 1, notRun: 0, firstRunUs: NOW_US, lastRunUs: NOW_US };
    const exposures = FAMILIES.map((family) => [family, { ...counts }] as const);
    draft.base.exposure.set(id, new Map(exposures));
  }
  asksForRates(draft, 0);
  const started = performance.now();
  learnRates(draft, NOW_US);
  return performance.now() - started;
}

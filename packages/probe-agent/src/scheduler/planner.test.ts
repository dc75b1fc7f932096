import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import fc from 'fast-check';
import { DirectiveBook } from './directives.js';
import { GPU_UNIT, Planner, type Work } from './planner.js';
import { EPOCH_MS, NO_INDICES, SeedIndices } from './seed-indices.js';
import { type ScheduleEntry, Timetable } from './timetable.js';

const DEVICE = { id: 'CPU-a', sms: [0, 1] };
const T0 = 1_700_000_000_000;

function entry(fields: Partial<ScheduleEntry> = {}): ScheduleEntry {
  return { probe: 'FMA', family: 'fma32', periodMs: 10_000, coverage: 1, priority: 1, timeoutMs: 5_000, ...fields };
}

interface Rig {
  readonly planner: Planner;
  readonly book: DirectiveBook;
  readonly backend: 'cpu' | 'gpu';
}

function rig(
  entries: readonly ScheduleEntry[],
  pct = 5,
  pausedAt: (ms: number) => boolean = () => false,
  backend: 'cpu' | 'gpu' = 'cpu',
  holdShare = 0,
  isCool: () => boolean = () => false,
): Rig {
  const book = new DirectiveBook(() => {});
  const planner = new Planner({
    timetable: new Timetable([DEVICE], entries, () => 0),
    directives: book,
    indices: new Map([[DEVICE.id, new SeedIndices(NO_INDICES, () => {})]]),
    cpus: DEVICE.sms,
    overheadBudgetPct: pct,
    burstBudgetPct: 5,
    chargeFactor: 1,
    backend,
    isPaused: (_, wallMs) => pausedAt(wallMs - T0),
    isCool,
    heatHoldMs: (_id, periodMs, overdueMs) => (overdueMs < holdShare * periodMs ? 200 : 0),
  });
  return { planner, book, backend };
}

/** Runs the plan for a while; each execution costs every CPU involved `costUs`. */
function simulate({ planner, book, backend }: Rig, durationMs: number, costUs: number): { work: Work; atMs: number }[] {
  const done: { work: Work; atMs: number }[] = [];
  for (let ms = 0; ms < durationMs; ) {
    const decision = planner.next({ wallMs: T0 + ms, monoMs: ms });
    if ('waitMs' in decision) {
      ms += Math.max(1, Math.ceil(decision.waitMs));
      continue;
    }
    const { work } = decision;
    done.push({ work, atMs: ms });
    const units = backend === 'gpu' ? [GPU_UNIT] : new Set([...work.sms, ...work.goldenCpus]);
    planner.charge(
      work.pool,
      work.family,
      [...units].map((unit) => ({ unit, us: costUs })),
      ms,
    );
    if (work.directiveId !== null) book.executed(work.directiveId, false, ms);
    ms += Math.ceil(costUs / 1000);
  }
  return done;
}

function burst(executions: number, intervalMs: number, id = 'b') {
  const steps = [{ family: 'fma32' as const, sm: 1, executions, intervalMs }];
  return { id, deviceId: DEVICE.id, kind: 'burst' as const, steps, sweep: null };
}

test('a schedule is kept: every period once, with seed index 0 of its epoch', () => {
  const done = simulate(rig([entry(), entry({ probe: 'AES', family: 'int_aes' })]), 60_000, 2_000);
  for (const family of ['fma32', 'int_aes']) {
    const runs = done.filter(({ work }) => work.family === family);
    assert.equal(runs.length, 6);
    assert.ok(runs.every(({ work }) => work.index === 0 && work.kind === RunKind.SCHEDULED && work.sms.length === 2));
    assert.equal(new Set(runs.map(({ work }) => work.epoch)).size, 6);
  }
});

test('a period shorter than an epoch gets seeds of its own', () => {
  const done = simulate(rig([entry({ periodMs: 1_000 })]), 20_000, 500);
  assert.equal(done.length, 20);
  assert.equal(new Set(done.map(({ work }) => `${work.epoch}/${work.index}`)).size, 20);
});

test('a burst of 1,000 is spread over its minute and pays from its own budget', () => {
  const it = rig([entry()], 0.5);
  it.book.accept(burst(1_000, 60), 0);
  const done = simulate(it, 60_000, 2_300);
  const executions = done.filter(({ work }) => work.kind === RunKind.BURST);
  assert.ok(executions.length >= 990, `${executions.length} executions`);
  const firstHalf = executions.filter(({ atMs }) => atMs < 30_000).length;
  assert.ok(Math.abs(firstHalf - 500) < 20, `${firstHalf} in the first half`);
  const scheduled = done
    .filter(({ work }) => work.kind === RunKind.SCHEDULED)
    .map(({ atMs }) => Math.floor(atMs / 10_000));
  assert.deepEqual(scheduled, [0, 1, 2, 3, 4, 5], 'the schedule goes on beside it');
});

test('whatever is asked, no CPU pays more than its shares, and no seed is used twice on an SM', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 200, max: 20_000 }),
      fc.array(fc.integer({ min: 1, max: 2_000 }), { maxLength: 4 }),
      (periodS, costUs, bursts) => {
        const it = rig([entry({ periodMs: periodS * 1_000 })], 2);
        bursts.forEach((executions, k) => {
          it.book.accept(burst(executions, 10, `b${k}`), 0);
        });
        const durationMs = 60_000;
        const done = simulate(it, durationMs, costUs);
        const used = (pool: string) => done.filter(({ work }) => work.pool === pool).length * costUs;
        // The share, what a bucket holds, and one debt.
        assert.ok(used('scheduled') <= durationMs * 20 + 5_000 + costUs);
        assert.ok(used('burst') <= durationMs * 50 + 5_000 + costUs);
        const seeds = done.map(({ work }) => `${work.family}/${work.epoch}/${work.index}`);
        assert.equal(new Set(seeds).size, seeds.length);
        assert.ok(done.every(({ work, atMs }) => work.epoch === Math.floor((T0 + atMs) / EPOCH_MS)));
      },
    ),
    { numRuns: 60 },
  );
});

test('budgets pay what other work loses, the overhead that is shown stays what was charged', () => {
  // A run of 10 ms leaves the bucket 5 ms in debt: 0.5 % pay for the next one in 2 s, and at twice the price in 4 s.
  const timetable = () => new Timetable([DEVICE], [entry({ periodMs: 1_000 })], () => 0);
  for (const [chargeFactor, runs, pct] of [
    [1, 30, 0.5],
    [2, 15, 0.25],
  ] as const) {
    const it = rig([entry()]);
    it.planner.reconfigure({ timetable: timetable(), overheadBudgetPct: 0.5, burstBudgetPct: 5, chargeFactor });
    assert.equal(simulate(it, 60_000, 10_000).length, runs);
    assert.ok(Math.abs(it.planner.overhead.scheduled.percent(59_999) - pct) < 1e-9);
  }
});

test('the overhead of all pools is that of the device on which they come to most', () => {
  const { planner } = rig([entry()]);
  planner.charge(
    'scheduled',
    'fma32',
    [
      { unit: 0, us: 600_000 },
      { unit: 1, us: 120_000 },
    ],
    1_000,
  );
  planner.charge('burst', 'fma32', [{ unit: 1, us: 540_000 }], 1_000);
  const shown = Object.entries(planner.overhead).map(([pool, window]) => [pool, window.percent(2_000)]);
  assert.deepEqual(Object.fromEntries(shown), { scheduled: 1, burst: 0.9, deep_test: 0, all: 1.1 });
});

test('a family is put off by want of budget for a quarter of an hour at most', () => {
  const it = rig([entry({ priority: 9 })], 0.01);
  it.planner.charge(
    'scheduled',
    'fma32',
    [
      { unit: 0, us: 10_000_000 },
      { unit: 1, us: 10_000_000 },
    ],
    0,
  );
  const first = simulate(it, 20 * 60_000, 2_000)[0];
  assert.ok(first !== undefined && Math.abs(first.atMs - 15 * 60_000) < 11_000, `first at ${first?.atMs}`);
});

test('another schedule is taken up while the planner runs', () => {
  const it = rig([entry()]);
  assert.ok('work' in it.planner.next({ wallMs: T0, monoMs: 0 }));
  const timetable = new Timetable([DEVICE], [entry({ probe: 'AES', family: 'int_aes' })], () => 0);
  it.planner.reconfigure({ timetable, overheadBudgetPct: 1, burstBudgetPct: 1, chargeFactor: 1 });
  const next = it.planner.next({ wallMs: T0 + 1, monoMs: 1 });
  assert.equal('work' in next && next.work.family, 'int_aes');
});

test('a paused device runs nothing, not even what the engine asks for, and starves nobody when it runs again', () => {
  const it = rig([entry()], 5, (ms) => ms < 30 * 60_000);
  it.book.accept(burst(3, 10), 0);
  const done = simulate(it, 31 * 60_000, 2_000);
  assert.ok(done.length > 0 && done.every(({ atMs }) => atMs >= 30 * 60_000));
  assert.equal(done.filter(({ work }) => work.kind === RunKind.BURST).length, 3);
});

test('a GPU pays with its own time: CPUs that compute goldens for it hold nothing up', () => {
  const it = rig([entry({ periodMs: 1_000 })], 1, () => false, 'gpu');
  it.planner.charge('scheduled', 'fma32', [{ unit: GPU_UNIT, us: 25_000 }], 0);
  const first = simulate(it, 60_000, 300)[0];
  // 5 ms saved up less 25 ms, and 3 ms are expected: 23 ms are earned back at a hundredth.
  assert.ok(first !== undefined && first.atMs >= 2_200 && first.atMs <= 3_100, `first at ${first?.atMs}`);
  assert.deepEqual(first.work.goldenCpus.length, 2);
});

test('a planner leaves the devices of others alone', () => {
  const it = rig([entry()]);
  it.book.accept({ ...burst(1, 0), deviceId: 'GPU-other' }, 0);
  assert.equal(simulate(it, 5_000, 300).filter(({ work }) => work.deviceId !== DEVICE.id).length, 0);
});

test('a run that waits for heat holds up neither the schedule nor what else is due', () => {
  const held = simulate(
    rig([entry({ periodMs: 60_000 })], 5, () => false, 'cpu', 0.25),
    300_000,
    2_000,
  );
  assert.deepEqual(
    held.map(({ atMs }) => Math.floor(atMs / 1_000)),
    [15, 55, 115, 175, 235, 295],
    'the clock was 20 s into a period at the start',
  );
});

test('a deep test that is to be hot runs on every SM while the device is cool, and on the unit alone once it is hot', () => {
  let cool = true;
  const it = rig(
    [],
    5,
    () => false,
    'gpu',
    0,
    () => cool,
  );
  const steps = [{ family: 'fma32' as const, sm: 1, executions: 4, intervalMs: 0 }];
  const plan = { id: 'd', deviceId: DEVICE.id, kind: 'deep_test' as const, steps, sweep: null };
  const smsOfNext = () => {
    const decision = it.planner.next({ wallMs: T0, monoMs: 0 });
    assert.ok('work' in decision);
    it.book.executed(decision.work.directiveId ?? '', false, 0);
    return decision.work.sms;
  };
  it.book.accept({ ...plan, warmingSms: DEVICE.sms }, 0);
  assert.deepEqual([smsOfNext(), smsOfNext()], [DEVICE.sms, DEVICE.sms]);
  cool = false;
  assert.deepEqual([smsOfNext(), smsOfNext()], [[1], [1]]);
  assert.equal(it.book.progress('d')?.state, 'done', 'heat changes what runs, not how much');
  cool = true;
  it.book.accept({ ...plan, id: 'e' }, 0);
  assert.deepEqual(smsOfNext(), [1], 'nobody asked for heat');
});

test('a canary runs on every SM at once, with the seed of the engine', () => {
  const it = rig([]);
  const canary = { family: 'fma32' as const, sms: DEVICE.sms, epoch: 77, index: 2 ** 31 + 5 };
  it.book.accept({ id: 'c', deviceId: DEVICE.id, kind: 'canary', steps: [], sweep: null, canary }, 0);
  const done = simulate(it, 2_000, 1_000);
  assert.equal(done.length, 1);
  const { kind, sms, epoch, index, directiveId } = done[0]?.work ?? {};
  assert.deepEqual([kind, sms, epoch, index, directiveId], [RunKind.CANARY, [0, 1], 77, 2 ** 31 + 5, 'c']);
});

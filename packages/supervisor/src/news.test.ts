import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GpuState, ProbeFamily } from '@sentinel/contracts/sentinel/v1/common.js';
import type { GpuHealth } from '@sentinel/contracts/sentinel/v1/health.js';
import * as subject from './news.js';
import type { Snapshot } from './status-view.js';
import { fleetSample, GATES, GPU, gpuSample, plain, processSample, snapshotSample } from './testing/samples.js';

const { remember } = subject;
const news = (before: Snapshot | null, now: Snapshot): string[] => plain(subject.news(before, now));
const progress = (before: Snapshot | null, now: Snapshot): string[] => plain(subject.progress(before, now));

const of = (gpu: Partial<GpuHealth>, over: Partial<Snapshot> = {}): Snapshot =>
  snapshotSample({ fleet: fleetSample([gpuSample(gpu)]), ...over });

test('the first look shows every device, a second one that found nothing new is silent', () => {
  const first = snapshotSample();
  assert.deepEqual(news(null, first), ['CPU-0558648a HEALTHY: no mismatch']);
  assert.deepEqual(progress(null, first), ['engine ready (pid 12)']);
  assert.deepEqual([...news(first, snapshotSample()), ...progress(first, snapshotSample())], []);
});

test('first wrong results, the state and the gates are news; a summary that counts is none', () => {
  const healthy = of({});
  const suspect = of(
    { state: GpuState.SUSPECT, injected: true, failures: 3n, executions: 30n, summary: 'burst 1 of 1000' },
    { gates: new Map([[GPU, GATES]]) },
  );
  assert.deepEqual(news(healthy, suspect), [
    'CPU-0558648a 3 wrong of 6 executions INJECTED',
    'CPU-0558648a HEALTHY -> SUSPECT INJECTED: burst 1 of 1000',
    'CPU-0558648a gates: HOLD dwell; NOT_EVALUABLE breadth; PASS integrity, locality',
  ]);
  const later = of(
    { state: GpuState.SUSPECT, injected: true, failures: 9n, executions: 99n, summary: 'burst 9 of 1000' },
    { gates: new Map([[GPU, GATES]]) },
  );
  assert.deepEqual(news(suspect, later), []);
});

test('a directive is said at every tenth of it and at its end', () => {
  const burst = (done: bigint, finished = false): Snapshot =>
    of({
      directives: [
        { id: 'b', kind: 'burst', family: ProbeFamily.FMA32, sm: 1, done, wanted: 1000n, failures: 0n, finished },
      ],
    });
  assert.deepEqual(progress(burst(0n), burst(99n)), []);
  assert.deepEqual(progress(burst(99n), burst(100n)), ['burst fma32 on SM 1: 100 of 1,000 executions']);
  assert.deepEqual(progress(burst(1000n), burst(1000n, true)), [
    'burst fma32 on SM 1: 1,000 of 1,000 executions, finished',
  ]);
});

test('a service that died says how and why; its next start is progress', () => {
  const before = snapshotSample();
  const died = snapshotSample({
    processes: [
      processSample({
        state: 'restarting',
        pid: null,
        restarts: 1,
        lastEnd: 'ended with status 70',
        lastWords: 'out of memory',
      }),
    ],
  });
  assert.deepEqual(news(before, died), ['engine ended with status 70 (out of memory); it is started again']);
  const again = snapshotSample({ processes: [processSample({ state: 'starting', pid: 14, restarts: 1 })] });
  assert.deepEqual([news(died, again), progress(died, again)], [[], ['engine starting (pid 14)']]);
});

test('an engine that is away for a while makes no old device new', () => {
  const before = snapshotSample();
  const away = snapshotSample({ fleet: null, problem: 'Deadline exceeded' });
  assert.deepEqual(news(before, away), ['the engine does not answer: Deadline exceeded']);
  assert.deepEqual(news(remember(before, away), snapshotSample()), ['the engine answers again']);
});

test('an agent that leaves and comes back', () => {
  assert.deepEqual(news(of({}), of({ connected: false })), ['CPU-0558648a has no connected agent']);
  assert.deepEqual(news(of({ connected: false }), of({})), ['CPU-0558648a is connected again']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProbeResult, RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import { AgentEvent_Kind as Kind } from '@sentinel/contracts/sentinel/v1/probe.js';
import { ManualClock } from '@sentinel/service-kit/clock';
import { SentinelError } from '@sentinel/service-kit/errors';
import { VERSION } from '@sentinel/service-kit/version';
import { InjectionWatch } from '../execution/injection-watch.js';
import type { ProbeRun } from '../execution/run.js';
import { AgentMetrics } from '../observing/metrics.js';
import { PatientAppender } from '../spool/patient-append.js';
import { collectingLogger } from '../testing/collecting-logger.js';
import { payloadOf } from '../testing/payloads.js';
import { Events } from './events.js';
import { MismatchLog } from './mismatch-log.js';

const MISMATCH = {
  lane: 0,
  iteration: 0,
  operands: [],
  expected: [],
  actual: [],
  expectedDigest: 1,
  actualDigest: 2,
  mismatchCount: 1,
  place: null,
};

function failing(sm: number): ProbeRun {
  return {
    deviceId: 'CPU-a',
    family: 'fma32',
    kind: RunKind.SCHEDULED,
    epoch: 1,
    index: 0,
    startUs: 1,
    durationUs: 2_000,
    singleSm: null,
    results: [{ sm, result: ProbeResult.FAIL, reason: '', digest: 2, mismatch: MISMATCH }],
    goldenDigest: 1,
    goldenAgreed: true,
    goldenIntact: true,
    loudFault: false,
    directiveId: null,
    context: undefined,
  };
}

test('a unit that fails all the time is named once in ten seconds, with how often it was not named', () => {
  const { log, lines } = collectingLogger();
  const clock = new ManualClock();
  const mismatches = new MismatchLog(log, clock);
  for (let k = 0; k < 5; k++) mismatches.group([failing(1)]);
  mismatches.group([failing(2)]);
  clock.advanceMs(10_001);
  mismatches.group([failing(1)]);
  assert.deepEqual(
    lines.map(({ sm, notNamed }) => [sm, notNamed]),
    [
      [1, 0],
      [2, 0],
      [1, 4],
    ],
  );
});

test('events name the device and reach log, metric and engine', () => {
  const { log, lines } = collectingLogger();
  const sent: [Kind, string][] = [];
  const failed: string[] = [];
  const events = new Events({
    reporter: { event: async (kind, device) => void sent.push([kind, device]) },
    metrics: { childFailed: (kind) => failed.push(kind), loudFault: (kind) => failed.push(kind) },
    log,
    ownerOf: (cpu) => (cpu === 3 ? 'CPU-a' : ''),
  });
  events.childFailed('GPU-a', { kind: 'timeout', detail: 'late' });
  events.loudFault({ kind: 'xid', deviceId: 'GPU-a', detail: 'Xid 79' });
  events.selfTestFailed('CPU-a', 3, 'SM 3 is wrong');
  events.goldenDisagreed('GPU-a', 'fma32', {
    accused: 3,
    mismatch: null,
    knownAnswers: [
      { cpu: 2, result: 'PASS' },
      { cpu: 3, result: 'FAIL' },
    ],
  });
  events.deviceChanged('GPU-a', 'is back');
  events.familyLeftOut('GPU-a', 'smem', 'only 1 of 4 SMs reproduce its known answers');
  events.scheduleRefused('schedule refused');
  events.remark('', 'no GPU here');
  assert.deepEqual(sent, [
    [Kind.CHILD_TIMEOUT, 'GPU-a'],
    [Kind.LOUD_FAULT, 'GPU-a'],
    [Kind.SELF_TEST_FAILED, 'CPU-a'],
    [Kind.GOLDEN_DISAGREED, 'CPU-a'],
    [Kind.DEVICE_CHANGED, 'GPU-a'],
    [Kind.SELF_TEST_FAILED, 'GPU-a'],
    [Kind.SCHEDULE_CHANGED, ''],
  ]);
  assert.deepEqual(failed, ['timeout', 'xid']);
  assert.match(String(lines[3]?.['msg']), /CPU 3 alone is wrong/);
});

test('metrics have the names and labels of the contract', async () => {
  const metrics = new AgentMetrics({
    node: 'rack-7',
    devices: () => 2,
    connected: () => true,
    spoolRecords: () => 3,
    spoolBytes: () => 4,
    childRestarts: () => 5,
    childBytes: () => 9,
    activeDirectives: () => 6,
    pausedDevices: () => 1,
    coverage: () => [{ family: 'fma32', maxAgeSeconds: 70, dueRatio: 0.5 }],
    goldenPct: () => 0.125,
    hotShare: () => 0.25,
    overheadPct: (pool) => (pool === 'all' ? 0.75 : 0.25),
    lostPct: () => 0.375,
    contexts: () => [{ temperatureC: 61, hot: true }, undefined],
  });
  metrics.ran(failing(1));
  metrics.loudFault('ecc');
  metrics.givenUp({ runs: 7, executions: 8, mismatches: 1 });
  const text = await metrics.registry.metrics();
  for (const line of [
    `sentinel_agent_info{node="rack-7",version="${VERSION}"} 1`,
    'sentinel_probe_results_total{probe="FMA",family="fma32",result="FAIL"} 1',
    'sentinel_probe_duration_seconds_count{probe="FMA",family="fma32"} 1',
    'sentinel_probe_overhead_pct{pool="scheduled"} 0.25',
    'sentinel_probe_overhead_all_pools_pct 0.75',
    'sentinel_probe_overhead_measured_pct{pool="scheduled"} 0.375',
    'sentinel_probe_coverage_ratio{family="fma32"} 1',
    'sentinel_agent_loud_faults_total{kind="ecc"} 1',
    'sentinel_agent_loud_faults_total{kind="xid"} 0',
    'sentinel_agent_device_temperature_celsius{device="0"} 61',
    'sentinel_probe_coverage_max_age_seconds{family="fma32"} 70',
    'sentinel_probe_coverage_in_time_ratio{family="fma32"} 0.5',
    'sentinel_probe_golden_cpu_pct 0.125',
    'sentinel_probe_hot_runs_ratio 0.25',
    'sentinel_agent_paused_devices 1',
    'sentinel_agent_connected_gpus 2',
    'sentinel_agent_grpc_stream_active 1',
    'sentinel_agent_spool_records 3',
    'sentinel_agent_spool_dropped_total{what="runs"} 7',
    'sentinel_agent_spool_dropped_total{what="mismatches"} 1',
  ]) {
    assert.ok(text.includes(`\n${line}\n`), line);
  }
  assert.doesNotMatch(text, /device_power_watts\{/, 'what no device offers has no series');
});

test('a full disk is waited for; a lost spool is fatal; an agent that stops gives up', async () => {
  const { log, lines } = collectingLogger();
  const lost: unknown[] = [];
  let appended = 0;
  let failure: SentinelError | undefined = new SentinelError({
    code: 'RESOURCE_EXHAUSTED',
    message: 'the disk is full',
  });
  const appender = new PatientAppender({
    append: () => (failure === undefined ? Promise.resolve() : Promise.reject(failure)),
    onAppended: () => {
      appended += 1;
    },
    onLost: (error) => lost.push(error),
    log,
  });
  const payload = payloadOf({ $case: 'events', value: { events: [] } });
  const waiting = appender.append(payload);
  setTimeout(() => {
    failure = undefined;
  }, 50);
  await waiting;
  assert.deepEqual([appended, lines.length, /Probing waits/.test(String(lines[0]?.['msg']))], [1, 1, true]);
  failure = new SentinelError({ code: 'UNAVAILABLE', message: 'fsync failed' });
  await appender.append(payload);
  assert.deepEqual([appended, lost.length], [1, 1]);
  failure = new SentinelError({ code: 'RESOURCE_EXHAUSTED', message: 'the disk is full' });
  const stopped = appender.append(payload);
  appender.stop();
  await stopped;
  assert.equal(appended, 1);
});

test('the first injected wrong result is said once', async () => {
  const { log, lines } = collectingLogger();
  let firstUs: number | null = null;
  const child = { ask: (async () => ({ kind: 'answer', value: { count: 1, firstUs } })) as never };
  const watch = new InjectionWatch(log);
  await watch.look(child);
  firstUs = 17;
  await Promise.all([watch.look(child), watch.look(child)]);
  await watch.look(child);
  assert.deepEqual(
    lines.map(({ msg, atUs }) => [msg, atUs]),
    [['first injected wrong result', 17]],
  );
});

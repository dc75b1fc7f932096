import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GpuState, ProbeFamily } from '@sentinel/contracts/sentinel/v1/common.js';
import * as subject from './status-view.js';
import { fleetSample, GATES, GPU, gpuSample, plain, processSample, snapshotSample } from './testing/samples.js';

const statusLines = (snapshot: subject.Snapshot): string[] => plain(subject.statusLines(snapshot));

test('services, fleet and devices, one under the other', () => {
  const processes = [
    processSample({ name: 'ledger', pid: 11 }),
    processSample({
      state: 'restarting',
      pid: null,
      restarts: 2,
      lastEnd: 'ended with status 69',
      lastWords: 'no disk',
    }),
    processSample({ name: 'agent', state: 'starting', pid: 13 }),
  ];
  assert.deepEqual(statusLines(snapshotSample({ processes })), [
    '  ledger    running  pid 11',
    '  engine    restarting  restarted 2 times, last ended with status 69: no disk',
    '  agent     starting  pid 13',
    '',
    'Fleet     1 device on 1 node: 1 healthy',
    'Evidence  24 executions, 0 wrong; 1 agent connected; mode enforce',
    '',
    'DEVICE        NODE  STATE    SCORE  EXECS  WRONG  SEEN',
    'CPU-0558648a  vm    HEALTHY  0.990     24      0  2s ago',
    '  no mismatch',
  ]);
});

test('a suspect shows its burst, its gates and that it is injected, within 80 columns', () => {
  const suspect = gpuSample({
    state: GpuState.SUSPECT,
    injected: true,
    failures: 8n,
    summary: 'fma32 on SM 1: burst 8 of 1000, dwell holds',
    directives: [
      {
        id: 'b',
        kind: 'burst',
        family: ProbeFamily.FMA32,
        sm: 1,
        done: 8n,
        wanted: 1000n,
        failures: 8n,
        finished: false,
      },
    ],
  });
  const lines = statusLines(snapshotSample({ fleet: fleetSample([suspect]), gates: new Map([[GPU, GATES]]) }));
  assert.deepEqual(lines.slice(5), [
    'DEVICE        NODE  STATE    SCORE  EXECS  WRONG  SEEN    NOTE',
    'CPU-0558648a  vm    SUSPECT  0.990     24      8  2s ago  INJECTED',
    '  fma32 on SM 1: burst 8 of 1000, dwell holds',
    '  burst fma32 on SM 1: 8 of 1,000 executions, 8 wrong',
    '  gates HOLD dwell; NOT_EVALUABLE breadth; PASS integrity, locality',
  ]);
  assert.ok(lines.every((line) => line.length <= 80));
});

test('an engine that is not asked yet says nothing; one that does not answer says why', () => {
  assert.deepEqual(statusLines(snapshotSample({ fleet: null })), ['  engine    running  pid 12']);
  assert.deepEqual(statusLines(snapshotSample({ fleet: null, problem: 'Deadline exceeded' })).slice(1), [
    '',
    'The engine does not answer: Deadline exceeded',
  ]);
});

test('no gates, no text', () => {
  assert.equal(subject.gatesText([]), '');
});

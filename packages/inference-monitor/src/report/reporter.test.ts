import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NotSent, Told } from '@sentinel/monitor-kit/report/outbox';
import { silentLogger } from '@sentinel/service-kit/logging';
import type { Finding } from '../analysers/finding.js';
import { serverOf } from '../testing/server.js';
import { Devices } from './devices.js';
import { Reporter } from './reporter.js';

const SOFT: Finding = {
  ...{ type: 'LOGIT_DRIFT', detector: 'logit-drift', severity: 'WARNING', workers: 'all' },
  ...{ timeUs: 1, value: 2, limit: 1, detail: 'The largest logit drifts' },
};
const answers = ['aaaaaaaa', 'bbbbbbbb'].map((digest, k) => ({
  ...{ node: 'n', gpu: `GPU-${k}`, replica: `r${k}`, digest, again: false },
}));
const HARD: Finding = {
  ...{ ...SOFT, type: 'CANARY_MISMATCH', detector: 'canary' },
  compared: { answers, agreedBefore: 0, asked: false, stateEqual: false },
};

function reporter(room = Number.POSITIVE_INFINITY) {
  const told: Told[] = [];
  const notSent: NotSent[] = [];
  const found: Finding[] = [];
  const { take } = new Reporter({
    devices: new Devices(() => ({ node_name: 'n', gpu_uuids: [], rank_device_map: {} })),
    outbox: { take: (each) => told.push(each) <= room },
    onFinding: (finding) => found.push(finding),
    onNotSent: (reason) => notSent.push(reason),
    nowUs: () => 7n,
    log: silentLogger(),
  });
  return { take, told, notSent, found };
}

test('INFO stays here; that replicas agree again goes to the engine and is no anomaly', () => {
  const { take, told, notSent, found } = reporter();
  take(serverOf(), { ...SOFT, severity: 'INFO' });
  take(serverOf(), { ...HARD, severity: 'INFO' });
  assert.deepEqual([told.length, notSent, found.length], [1, ['info'], 1]);
});

test('findings are told apart by replica, model, detector and workers', () => {
  const { take, told } = reporter();
  take(serverOf(), SOFT);
  take(serverOf(), { ...SOFT, value: 10 });
  take(serverOf(), { ...SOFT, workers: [1] });
  take(serverOf({ model: 'another' }), SOFT);
  take(serverOf({ replica: 'another' }), SOFT);
  const [first, again, ...others] = told.map(({ key }) => key);
  assert.equal(first, again);
  assert.equal(new Set([first, ...others]).size, 4);
});

test('an analyser hears of what could not be told', () => {
  const { take } = reporter(1);
  const untold: string[] = [];
  for (const detail of ['first', 'second']) take(serverOf(), { ...SOFT, detail, onUntold: () => untold.push(detail) });
  take(serverOf(), { ...SOFT, severity: 'INFO', onUntold: () => untold.push('for the log alone') });
  assert.deepEqual(untold, ['second']);
});

test('what a library with fault injection shows is marked', () => {
  const { take, told } = reporter();
  take(serverOf({ testBuild: true }), SOFT);
  assert.equal(told[0]?.testBuild, true);
});

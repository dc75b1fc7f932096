import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JOB } from '../evidence/families.js';
import type { ComparedAnswer, ComparisonRecord } from '../evidence/job-record.js';
import { RunKind } from '../evidence/model/terms.js';
import { configWith } from '../evidence/testing/config.js';
import { explain } from '../explain/explain.js';
import { DAY_US, describe, deviceIdOf, eventNames, Fleet, SECOND_US, sentWork } from './testing/fleet.js';

const ID = deviceIdOf('n1');
const [RIGHT, WRONG] = ['0badcafe0badcafe', 'ffffffff00000000'];

/** A job on so many nodes with one device each; n1 gives another answer. */
function answers(nodes: number, wrong = WRONG): ComparedAnswer[] {
  return Array.from({ length: nodes }, (_, i) => ({
    ...{ node: `n${i + 1}`, gpu: deviceIdOf(`n${i + 1}`), rank: i, again: false },
    digest: i === 0 ? wrong : RIGHT,
  }));
}

function compared(fleet: Fleet, fields: Partial<ComparisonRecord> = {}): ComparisonRecord {
  return {
    kind: 'comparison',
    node: 'n1',
    gpus: [ID],
    source: 'training-monitor/replicas',
    type: 'REPLICA_MISMATCH',
    timeUs: fleet.nowUs,
    job: 'job-1',
    jobGpus: 4,
    rank: 0,
    step: 100,
    answers: answers(4),
    agreedBefore: 20,
    asked: false,
    buildId: 'monitor-1',
    testBuild: false,
    ...fields,
  };
}

function fleetOf(nodes: number, config = configWith({})): Fleet {
  const fleet = new Fleet(config);
  for (let i = 1; i <= nodes; i += 1) fleet.hello(`n${i}`);
  return fleet;
}

const outcomes = (effects: ReturnType<Fleet['commit']>) => effects.comparisons.map(({ outcome }) => outcome);
const inJobs = (fleet: Fleet, id = ID) => fleet.device(id).units.find(({ family }) => family === JOB);

test('a device that most others outvote is a SUSPECT, and every family of it is probed', () => {
  const fleet = fleetOf(4);
  const effects = fleet.commit(compared(fleet));
  assert.deepEqual(outcomes(effects), ['COUNTED']);
  assert.deepEqual(eventNames(effects).slice(0, 2), ['job_comparison', 'state_changed']);
  assert.equal(fleet.device(ID).state, 'SUSPECT');
  assert.match(fleet.device(ID).stateReason, /the device as a whole in a job computed a wrong result that two other/);
  const bursts = sentWork(effects).filter((work) => work.kind === 'burst');
  assert.deepEqual([...bursts.map(({ family }) => family)].sort(), [1, 2]);
  const [observation] = effects.observations;
  assert.deepEqual(
    [observation?.counted, observation?.answer, observation?.expectedDigest, observation?.siblingsRun],
    [true, false, 0x0badcafe, 3],
  );
  const said = explain(fleet.state, ID, fleet.nowUs)?.sentences.join('\n') ?? '';
  assert.match(said, /Failing: the device as a whole in a job \(1 counted, 0 in answer\)/);
  assert.match(
    said,
    /In jobs: its replica of the model was not that of the others in job job-1, rank 0, step 100, on /,
  );
  assert.match(said, /Likeliest explanation: a defect of the device as a whole/);
});

test('explain says what would change, without an SM that no job names', () => {
  const fleet = fleetOf(4, configWith({ deep_test_seconds: 5 }));
  fleet.commit(compared(fleet));
  const says = () => explain(fleet.state, ID, fleet.nowUs)?.whatWouldChange.join('\n') ?? '';
  assert.match(
    says(),
    /or in a comparison of a job that is asked for \(one more lost comparison of the device as a whole/,
  );
  assert.match(says(), /HEALTHY: 7 days without a mismatch/);
  fleet.commit(compared(fleet, { step: 200, agreedBefore: 1, asked: true }));
  fleet.advance(4400 * SECOND_US);
  assert.match(says(), /HEALTHY: 5 s of every family on every SM, cleanly/);
  const { sentences = [], whatWouldChange = [] } = explain(fleet.state, ID, fleet.nowUs) ?? {};
  assert.doesNotMatch([...sentences, ...whatWouldChange].join(), /job on SM/);
});

test('two lost rounds quarantine, if one was asked for because of the other', () => {
  for (const [asked, state] of [
    [true, 'QUARANTINED'],
    [false, 'SUSPECT'],
  ] as const) {
    const fleet = fleetOf(4);
    fleet.commit(compared(fleet));
    fleet.advance(60 * SECOND_US);
    fleet.commit(compared(fleet, { step: 200, agreedBefore: 1, asked }));
    fleet.advance(700 * SECOND_US);
    assert.equal(fleet.device(ID).state, state);
    assert.deepEqual([inJobs(fleet)?.counted, inJobs(fleet)?.answers], [2, asked ? 1 : 0]);
  }
});

test('what was asked for before anything was lost is no answer', () => {
  const fleet = fleetOf(4);
  const effects = fleet.commit(compared(fleet, { asked: true }));
  assert.equal(effects.observations[0]?.answer, false);
});

test('a lost round is answered by a failing probe of the burst, too', () => {
  const fleet = fleetOf(4);
  fleet.commit(compared(fleet));
  const { id: directive, family, sm } = fleet.open(ID, 'burst');
  fleet.batch('n1', [{ family, kind: RunKind.BURST, single: sm, directive, index: 1, fails: [{ sm }] }]);
  fleet.advance(700 * SECOND_US);
  assert.equal(fleet.device(ID).state, 'QUARANTINED');
});

test('one round counts once, whoever tells of it and how often', () => {
  const fleet = fleetOf(4);
  fleet.commit(compared(fleet));
  fleet.advance(30 * SECOND_US);
  const again = fleet.commit(
    compared(fleet, { source: 'another-monitor', asked: true, answers: answers(4).reverse() }),
  );
  assert.deepEqual([outcomes(again), again.outbox, again.observations], [['REPEATED'], [], []]);
  assert.equal(inJobs(fleet)?.counted, 1);
});

test('a replica that went wrong loses every later round by the same fault, until it agreed again', () => {
  const fleet = fleetOf(4);
  fleet.commit(compared(fleet));
  const next = (fields: Partial<ComparisonRecord>) => {
    fleet.advance(900 * SECOND_US);
    return outcomes(fleet.commit(compared(fleet, fields)));
  };
  assert.deepEqual(next({ step: 200, agreedBefore: 0, asked: true }), ['REPEATED']);
  const replay = { type: 'REPLAY_MISMATCH', agreedBefore: 5, asked: true };
  assert.deepEqual(next({ ...replay, step: 210 }), ['REPEATED'], 'it computes from wrong weights');
  const transient = [...answers(4), { ...(answers(4)[0] as ComparedAnswer), digest: RIGHT, again: true }];
  assert.deepEqual(next({ ...replay, step: 211, answers: transient }), ['COUNTED'], 'two answers of its own differ');
  assert.deepEqual(next({ step: 300, agreedBefore: 3 }), ['COUNTED']);
  assert.deepEqual(next({ ...replay, job: 'job-2', step: 5 }), ['COUNTED'], 'another job has weights of its own');
});

test('replays are computed anew each time', () => {
  const fleet = fleetOf(4);
  for (const step of [10, 20, 30]) {
    const effects = fleet.commit(compared(fleet, { type: 'REPLAY_MISMATCH', step, agreedBefore: 0 }));
    assert.deepEqual(outcomes(effects), ['COUNTED']);
  }
});

test('a canary that stays wrong is one loss, unless weights were proven equal or the device wavers', () => {
  const fields = { type: 'CANARY_MISMATCH', source: 'inference-monitor/canary', job: 'tiny', agreedBefore: 0 };
  const rounds = (...more: Partial<ComparisonRecord>[]) => {
    const fleet = fleetOf(4);
    return more.map((each, i) => {
      fleet.advance(60 * SECOND_US);
      return outcomes(fleet.commit(compared(fleet, { ...fields, step: 100 + i, ...each })))[0];
    });
  };
  const wavering = [...answers(4), { ...(answers(1)[0] as ComparedAnswer), digest: RIGHT, again: true }];
  const replay = { type: 'REPLAY_MISMATCH' };
  assert.deepEqual(rounds({}, { asked: true }, replay), ['COUNTED', 'REPEATED', 'REPEATED']);
  assert.deepEqual(rounds({}, { agreedBefore: 3 }), ['COUNTED', 'COUNTED'], 'it had agreed since');
  assert.deepEqual(rounds({}, { answers: wavering }), ['COUNTED', 'COUNTED']);
  const proven = { stateEqual: true };
  assert.deepEqual(rounds(proven, { ...proven, asked: true }), ['COUNTED', 'COUNTED']);
  assert.deepEqual(rounds(proven, { ...replay, ...proven }), ['COUNTED', 'COUNTED']);
  const agreed = { answers: answers(4, RIGHT), agreedBefore: 1 };
  assert.deepEqual(rounds({}, agreed, { type: 'REPLICA_MISMATCH' }), ['COUNTED', 'AGREED', 'COUNTED']);
  assert.deepEqual(
    rounds({ type: 'REPLICA_MISMATCH' }, agreed, { type: 'REPLICA_MISMATCH' }),
    ['COUNTED', 'AGREED', 'REPEATED'],
    'a canary need not touch the bits that differ',
  );
});

test('devices that answered together share what speaks against them: SUSPECT, probed, and never taken out by it', () => {
  const fleet = new Fleet();
  const own = ['GPU-a', 'GPU-b'];
  fleet.hello('n1', { devices: own.map((id) => describe(id)) });
  for (const node of ['n2', 'n3']) fleet.hello(node);
  const given = [
    ...own.map((gpu) => ({ node: 'n1', gpu, rank: 0, digest: WRONG, again: false, group: 1 })),
    ...['n2', 'n3'].map((node, i) => ({ node, gpu: deviceIdOf(node), rank: i + 1, digest: RIGHT, again: false })),
  ];
  const fields = { gpus: own, type: 'CANARY_MISMATCH', job: 'tiny', answers: given, stateEqual: true };
  const effects = fleet.commit(compared(fleet, fields));
  assert.deepEqual(outcomes(effects), ['SHARED']);
  assert.deepEqual([effects.observations, eventNames(effects)[0]], [[], 'job_comparison']);
  assert.ok(sentWork(effects).some((work) => work.kind === 'burst'));
  assert.deepEqual(outcomes(fleet.commit(compared(fleet, fields))), ['REPEATED']);
  for (let step = 1; step <= 40; step += 1) {
    fleet.advance(60 * SECOND_US);
    fleet.commit(compared(fleet, { ...fields, step, asked: true }));
  }
  for (const id of own) {
    assert.deepEqual([fleet.device(id).state, fleet.device(id).units], ['SUSPECT', []]);
    const said = explain(fleet.state, id, fleet.nowUs)?.sentences.join('\n') ?? '';
    assert.match(said, /its answer to a canary was not that of the others \(given together with 1 more device/);
  }
});

test('the engine counts the votes: who is not outvoted is not accused, whatever the monitor says', () => {
  const two = answers(2);
  const tie = answers(4).map((answer, i) => ({ ...answer, digest: i < 2 ? WRONG : RIGHT }));
  const all = answers(4).map((answer, i) => ({ ...answer, digest: `0${i}0${i}0${i}0${i}` }));
  for (const [what, given, outcome] of [
    ['two', two, 'TOO_FEW'],
    ['a tie', tie, 'NO_MAJORITY'],
    ['a whole job that differs', all, 'NO_MAJORITY'],
    ['all alike', answers(4, RIGHT), 'AGREED'],
  ] as const) {
    const fleet = fleetOf(4);
    const effects = fleet.commit(compared(fleet, { answers: given }));
    assert.deepEqual([outcomes(effects), fleet.device(ID).state], [[outcome], 'HEALTHY'], what);
    assert.deepEqual(eventNames(effects), outcome === 'AGREED' ? [] : ['job_comparison'], what);
  }
});

test('a monitor speaks of the devices of its own node alone', () => {
  const fleet = fleetOf(4);
  for (const fields of [{ node: 'n2' }, { gpus: ['GPU-unknown'] }, { gpus: [deviceIdOf('n2')] }]) {
    assert.deepEqual(outcomes(fleet.commit(compared(fleet, fields))), ['NOT_ITS_DEVICE']);
    assert.equal(fleet.device(ID).state, 'HEALTHY');
  }
});

test('a job that differs at every step is told of sixteen times an hour, and how often it was besides', () => {
  const fleet = fleetOf(4);
  const said = (count: number): unknown[] => {
    const events = Array.from({ length: count }, (_, step) => compared(fleet, { step, answers: answers(2) }));
    const { outbox } = fleet.commit({ kind: 'monitor-report', ...fleet.origin('n1'), createdUs: fleet.nowUs, events });
    return outbox.map(({ detail }) => detail['untold_before']);
  };
  assert.equal(said(10).length, 10);
  assert.equal(said(100).length, 6);
  assert.equal(said(1).length, 0);
  fleet.advance(3600 * SECOND_US);
  assert.deepEqual(said(2), [95, undefined]);
});

test('agreement speaks for the device, and later losses fold it', () => {
  const fleet = fleetOf(4);
  fleet.commit(compared(fleet));
  const probability = () => explain(fleet.state, ID, fleet.nowUs)?.probability ?? 0;
  const before = probability();
  const agreed = fleet.commit(compared(fleet, { step: 900, answers: answers(4, RIGHT), agreedBefore: 5000 }));
  assert.deepEqual([eventNames(agreed), inJobs(fleet)?.posterior?.same], [[], 5000]);
  assert.ok(before > 0.4 && probability() < before / 3, `${before} ${probability()}`);
  assert.deepEqual(fleet.device(ID).jobs?.diverged, []);
});

test('a quiet week with clean probes clears it, with the odds of a device on probation', () => {
  const fleet = fleetOf(4);
  fleet.commit(compared(fleet));
  fleet.advance(8 * DAY_US);
  assert.equal(fleet.device(ID).state, 'SUSPECT', 'silence clears nobody');
  const burst = fleet.open(ID, 'burst');
  fleet.cleanRuns('n1', 1000, burst.id, burst.sm);
  fleet.advance(8 * DAY_US);
  assert.equal(fleet.device(ID).state, 'HEALTHY');
  assert.deepEqual([inJobs(fleet)?.counted, inJobs(fleet)?.reinstatedUs !== null], [0, true]);
});

test('a test build makes all that follows INJECTED', () => {
  const fleet = fleetOf(4);
  const effects = fleet.commit(compared(fleet, { testBuild: true }));
  assert.ok(effects.outbox.every(({ injected }) => injected));
  assert.ok(effects.observations.every(({ injected }) => injected));
  assert.equal(fleet.device(ID).injectedEvidence, true);
});

test('a comparison and an anomaly of one job are one signal, and a loud fault is another', () => {
  const fleet = fleetOf(4);
  const patterns = () => fleet.device(ID).patterns.map(({ name }) => name);
  const soft = { node: 'n1', gpu: ID, source: 'training-monitor/gradient-norm', type: 'GRADIENT_NORM_SPIKE' };
  fleet.commit({ kind: 'anomaly', ...soft, timeUs: fleet.nowUs, job: 'job-1', jobGpus: 4 });
  fleet.commit(compared(fleet));
  assert.deepEqual(patterns(), []);
  const events = [{ event: 'loud_fault', timeUs: fleet.nowUs, deviceId: ID, detail: 'Xid 79' }];
  fleet.commit({ kind: 'agent-events', ...fleet.origin('n1'), events });
  fleet.commit(compared(fleet, { step: 200 }));
  assert.deepEqual(patterns(), ['MULTI_SIGNAL']);
});

test('jobs that alarm on many nodes are an incident of software, which holds and excuses', () => {
  const fleet = fleetOf(8);
  for (let i = 1; i <= 3; i += 1) {
    const node = `n${i}`;
    const gpu = deviceIdOf(node);
    const given = answers(8, RIGHT).map((answer) => (answer.gpu === gpu ? { ...answer, digest: WRONG } : answer));
    for (const [step, asked] of [
      [100 + i, false],
      [200 + i, true],
    ] as const)
      fleet.commit(compared(fleet, { node, gpus: [gpu], type: 'REPLAY_MISMATCH', step, asked, answers: given }));
  }
  fleet.advance(3600 * SECOND_US);
  const [incident] = fleet.state.fleet.incidents;
  assert.equal(incident?.pattern, 'PROBE_OR_SOFTWARE');
  for (let i = 1; i <= 3; i += 1) assert.equal(fleet.device(deviceIdOf(`n${i}`)).state, 'SUSPECT');
  fleet.advance(9 * DAY_US);
  assert.equal(inJobs(fleet)?.counted, 0);
});

test('several devices of one node that lose speak against the node', () => {
  const fleet = new Fleet();
  const ids = ['GPU-a', 'GPU-b', 'GPU-c', 'GPU-d'];
  fleet.hello('n1', { devices: ids.map((id) => describe(id)) });
  for (const [at, gpu] of ['GPU-a', 'GPU-b'].entries()) {
    const given = ids.map((id, rank) => ({
      node: 'n1',
      gpu: id,
      rank,
      digest: id === gpu ? WRONG : RIGHT,
      again: false,
    }));
    for (const asked of [false, true]) {
      const step = 10 * at + Number(asked);
      fleet.commit(compared(fleet, { gpus: [gpu], type: 'REPLAY_MISMATCH', step, asked, answers: given }));
    }
  }
  fleet.advance(60 * SECOND_US);
  assert.equal(fleet.device('GPU-a').state, 'SUSPECT');
  const gate = fleet.device('GPU-a').gates.find(({ name }) => name === 'node');
  assert.equal(gate?.verdict, 'HOLD');
});

test('after a quarantine the deep test sweeps everything, and the device goes back on probation', () => {
  const fleet = fleetOf(4, configWith({ deep_test_seconds: 5 }));
  fleet.commit(compared(fleet));
  fleet.commit(compared(fleet, { step: 200, agreedBefore: 1, asked: true }));
  fleet.advance(700 * SECOND_US);
  assert.equal(fleet.device(ID).state, 'QUARANTINED');
  fleet.advance(3600 * SECOND_US);
  const test = fleet.open(ID, 'deep-test');
  assert.deepEqual(test.units, []);
  fleet.cleanRuns('n1', 1, test.id, 0);
  assert.equal(fleet.device(ID).state, 'DEEP_TEST');
  fleet.advance(10 * SECOND_US);
  fleet.cleanRuns('n1', 1000, test.id, 1);
  fleet.advance(10 * SECOND_US);
  assert.equal(fleet.device(ID).state, 'HEALTHY');
  assert.equal(inJobs(fleet)?.counted, 0);
});

test('a job that says no devices accuses the only device of a node, and nobody where a node has several', () => {
  const unnamed = answers(4).map((answer) => ({ ...answer, gpu: '' }));
  const fleet = fleetOf(4);
  assert.deepEqual(outcomes(fleet.commit(compared(fleet, { gpus: [], answers: unnamed }))), ['COUNTED']);
  assert.equal(fleet.device(ID).state, 'SUSPECT');
  const crowded = fleetOf(3);
  crowded.hello('n4', { devices: ['GPU-1', 'GPU-2'].map((id) => describe(id)) });
  const two = unnamed.filter(({ rank }) => rank === 0 || rank === 3);
  assert.deepEqual(outcomes(crowded.commit(compared(crowded, { gpus: [], answers: two }))), ['TOO_FEW']);
});

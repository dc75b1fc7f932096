import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_CLOSED, MAX_OPEN, MAX_TIE_BREAKS } from '../canary/facts.js';
import { MAX_EDGES } from '../canary/trust.js';
import type { Effects } from '../evidence/effects.js';
import type { CoreConfig } from '../evidence/model/settings.js';
import { RunFlag, RunKind } from '../evidence/model/terms.js';
import { CLEAN_FLAGS, columns, GOLDEN, SMS } from '../evidence/testing/batches.js';
import { configWith } from '../evidence/testing/config.js';
import { explain } from '../explain/explain.js';
import { describe, deviceIdOf, eventNames, Fleet, SECOND_US, sentWork } from './testing/fleet.js';

const TMR: CoreConfig['tmr'] = {
  enabled: true,
  interval_seconds: 600,
  timeout_ms: 30_000,
  selection_strategy: 'round_robin',
};
const WRONG = 0xbad;

/** Nodes of one device each, which canaries are on for. */
function fleetOf(nodes: readonly string[], tmr: Partial<CoreConfig['tmr']> = {}, sms: readonly number[] = SMS): Fleet {
  const fleet = new Fleet(configWith({}, { tmr: { ...TMR, ...tmr } }));
  for (const node of nodes) {
    const device = describe(deviceIdOf(node), { sms });
    fleet.hello(node, { devices: [device] });
    fleet.batch(node, [{ sms }, { sms, family: 2 }]);
  }
  return fleet;
}

/** The answer of one member of the open canary: the same digest on all its SMs, or one for each. */
function answer(
  fleet: Fleet,
  node: string,
  digest: number | readonly number[],
  more: { flags?: number; fails?: number } = {},
): Effects {
  const [canary] = fleet.state.canaries.open;
  const member = canary?.members.find((entry) => entry.node === node);
  assert.ok(canary !== undefined && member !== undefined, `${node} takes part`);
  const { sms } = fleet.device(member.deviceId);
  const { family, epoch, index } = canary;
  const fails =
    more.fails === undefined
      ? []
      : [{ sm: more.fails, siblingsRun: sms.length - 1, siblingsPassed: sms.length - 1, actualDigest: WRONG }];
  const run = {
    kind: RunKind.CANARY,
    family,
    epoch,
    index,
    sms,
    directive: member.directiveId,
    flags: more.flags ?? CLEAN_FLAGS,
    fails,
  };
  const batch = columns(fleet.nowUs, member.deviceId, [run]);
  const digests = typeof digest === 'number' ? sms.map(() => digest) : [...digest];
  return fleet.commit({ kind: 'batch', ...fleet.origin(node), batch: { ...batch, canaries: [{ run: 0, digests }] } });
}

const ABC = ['a', 'b', 'c'];
const outcomes = (fleet: Fleet) =>
  fleet.state.canaries.closed.map(({ outcome, dissenters }) => [outcome, ...dissenters]);
const closing = (effects: Effects) => effects.outbox.find(({ detail }) => detail.event === 'canary_closed')?.detail;

test('a canary goes to three devices every interval, with one seed, and round robin goes on', () => {
  const fleet = fleetOf(['a', 'b', 'c', 'd']);
  fleet.advance(599 * SECOND_US);
  assert.equal(fleet.state.canaries.open.length, 0);
  fleet.advance(SECOND_US);
  const work = sentWork(fleet.committed.at(-1)?.effects as Effects);
  assert.equal(work.length, 3);
  assert.equal(new Set(work.map((entry) => JSON.stringify(entry))).size, 1, 'all execute the same');
  const { members } = fleet.state.canaries.open[0] ?? {};
  assert.deepEqual(
    members?.map(({ node }) => node),
    ['a', 'b', 'c'],
  );
  fleet.advance(600 * SECOND_US);
  assert.equal(fleet.state.canaries.open[0]?.members[0]?.node, 'b');
});

test('three that agree: an entry in the ledger, a trust edge for each pair, nobody suspected', () => {
  const fleet = fleetOf(ABC);
  fleet.advance(600 * SECOND_US);
  answer(fleet, 'a', GOLDEN);
  answer(fleet, 'b', GOLDEN);
  const last = answer(fleet, 'c', GOLDEN);
  assert.equal(closing(last)?.['outcome'], 'AGREED');
  assert.deepEqual(outcomes(fleet), [['AGREED']]);
  const [edges] = Object.values(fleet.state.canaries.trust);
  assert.deepEqual(
    edges?.map(({ agreed, disagreed }) => [agreed, disagreed]),
    [
      [1, 0],
      [1, 0],
      [1, 0],
    ],
  );
  assert.ok(ABC.every((node) => fleet.device(deviceIdOf(node)).state === 'HEALTHY'));
});

test('2 of 3: the third gets one hard failure through gates 1 and 2 and is SUSPECT, whatever its golden says', () => {
  const fleet = fleetOf(ABC);
  fleet.advance(600 * SECOND_US);
  answer(fleet, 'a', GOLDEN);
  answer(fleet, 'b', [GOLDEN, WRONG, GOLDEN, GOLDEN]);
  const last = answer(fleet, 'c', GOLDEN);
  assert.deepEqual(closing(last)?.['dissenters'], [deviceIdOf('b')]);
  const [seen] = last.observations;
  assert.deepEqual(
    [seen?.sm, seen?.kind, seen?.counted, seen?.answer, seen?.expectedDigest, seen?.actualDigest],
    [1, RunKind.CANARY, true, false, GOLDEN, WRONG],
  );
  const device = fleet.device(deviceIdOf('b'));
  assert.deepEqual(
    [device.state, device.units.map(({ sm, counted, accused }) => [sm, counted, accused])],
    ['SUSPECT', [[1, 1, 1]]],
  );
  assert.deepEqual(
    device.gates.slice(0, 2).map(({ verdict }) => verdict),
    ['PASS', 'PASS'],
  );
  assert.ok(fleet.open(device.id, 'burst').sm === 1);
});

test('a device that dissents on all its SMs is accused as a whole', () => {
  const fleet = fleetOf(ABC);
  fleet.advance(600 * SECOND_US);
  answer(fleet, 'a', GOLDEN);
  answer(fleet, 'b', GOLDEN);
  answer(fleet, 'c', WRONG);
  const [unit] = fleet.device(deviceIdOf('c')).units;
  assert.deepEqual([unit?.counted, unit?.accused], [1, 0]);
  const said = () => explain(fleet.state, deviceIdOf('c'), fleet.nowUs);
  assert.match(
    fleet.device(deviceIdOf('c')).stateReason,
    /^fma32 on the device as a whole computed a wrong result that two/,
  );
  assert.match(said()?.summary ?? '', /^fma32 on the device as a whole: /);
  assert.match(
    said()?.sentences.join(' ') ?? '',
    /Failing: fma32 on the device as a whole \(1 counted, 0 in answer\)\./,
  );
  fleet.restart();
  assert.match(said()?.summary ?? '', /as a whole/);
  fleet.batch('c', [{ fails: [{ sm: unit?.sm ?? 0 }] }]);
  assert.match(said()?.summary ?? '', /^fma32 on SM 0: /, 'this SM failed alone now');
});

test('a canary that failed against its golden too counts once', () => {
  const fleet = fleetOf(ABC);
  fleet.advance(600 * SECOND_US);
  answer(fleet, 'a', GOLDEN);
  const first = answer(fleet, 'b', [GOLDEN, WRONG, GOLDEN, GOLDEN], { fails: 1 });
  const last = answer(fleet, 'c', GOLDEN);
  assert.deepEqual([first.observations.length, first.observations[0]?.counted, last.observations.length], [1, true, 0]);
  assert.deepEqual(outcomes(fleet), [['DISSENT', deviceIdOf('b')]]);
  assert.equal(fleet.device(deviceIdOf('b')).units[0]?.counted, 1);
});

test('a loud fault holds it: recorded and not counted', () => {
  const fleet = fleetOf(ABC);
  fleet.advance(600 * SECOND_US);
  answer(fleet, 'a', GOLDEN);
  answer(fleet, 'b', GOLDEN);
  const last = answer(fleet, 'c', WRONG, { flags: CLEAN_FLAGS | RunFlag.LOUD_FAULT });
  assert.deepEqual([last.observations[0]?.counted, last.observations[0]?.heldBy], [false, 'integrity']);
  assert.equal(fleet.device(deviceIdOf('c')).state, 'HEALTHY');
});

test('no majority: nobody is accused, and the ledger has it', () => {
  const fleet = fleetOf(ABC);
  fleet.advance(600 * SECOND_US);
  answer(fleet, 'a', 1);
  answer(fleet, 'b', 2);
  const last = answer(fleet, 'c', 3);
  assert.equal(closing(last)?.['outcome'], 'NO_MAJORITY');
  assert.deepEqual([last.observations, eventNames(last)], [[], ['canary_closed']]);
  assert.ok(ABC.every((node) => fleet.device(deviceIdOf(node)).state === 'HEALTHY'));
});

test('who does not answer in time does not vote, is told to leave it, and a late answer changes nothing', () => {
  const fleet = fleetOf(ABC);
  fleet.advance(600 * SECOND_US);
  answer(fleet, 'a', GOLDEN);
  answer(fleet, 'b', WRONG);
  const { directiveId } = fleet.state.canaries.open[0]?.members[2] ?? {};
  fleet.advance(30 * SECOND_US);
  assert.deepEqual(outcomes(fleet), [['TIMEOUT']]);
  assert.deepEqual(fleet.state.canaries.closed[0]?.silent, [deviceIdOf('c')]);
  const cancelled = fleet.committed.at(-1)?.effects.directives;
  assert.deepEqual(cancelled, [{ op: 'cancel', node: 'c', deviceId: deviceIdOf('c'), id: directiveId }]);
  const before = JSON.stringify(fleet.state.canaries);
  fleet.batch('c', [{ kind: RunKind.CANARY, directive: directiveId ?? '' }]);
  assert.equal(JSON.stringify(fleet.state.canaries), before);
});

test('an answer of another node, or to another seed, is none', () => {
  const fleet = fleetOf([...ABC, 'd']);
  fleet.advance(600 * SECOND_US);
  const [canary] = fleet.state.canaries.open;
  const directive = canary?.members[0]?.directiveId ?? '';
  const seed = {
    kind: RunKind.CANARY,
    family: canary?.family ?? 0,
    epoch: canary?.epoch ?? 0,
    index: canary?.index ?? 0,
    directive,
  };
  for (const [node, run] of [
    ['d', seed],
    ['a', { ...seed, index: 5 }],
  ] as const) {
    const batch = { ...columns(fleet.nowUs, deviceIdOf('a'), [run]), canaries: [{ run: 0, digests: [1, 1, 1, 1] }] };
    fleet.commit({ kind: 'batch', ...fleet.origin(node), batch });
  }
  assert.ok(fleet.state.canaries.open[0]?.members.every((member) => member.answer === null));
});

test('a suspect that no SM of its own can check is judged by two others, and their answers are answers', () => {
  const fleet = fleetOf(ABC, {}, [0]);
  const alone = { sm: 0, siblingsRun: 0, siblingsPassed: 0 };
  fleet.batch('b', [{ sms: [0], fails: [alone] }]);
  assert.equal(fleet.device(deviceIdOf('b')).state, 'SUSPECT');
  assert.equal(fleet.state.canaries.open[0]?.suspect, deviceIdOf('b'), 'asked at once');
  for (let round = 1; round <= 2; round += 1) {
    answer(fleet, 'a', GOLDEN);
    answer(fleet, 'c', GOLDEN);
    const last = answer(fleet, 'b', WRONG);
    assert.deepEqual(
      [last.observations.at(-1)?.counted, last.observations.at(-1)?.answer],
      [true, true],
      `round ${round}`,
    );
  }
  fleet.advance(601 * SECOND_US);
  assert.equal(fleet.device(deviceIdOf('b')).state, 'QUARANTINED', 'after the dwell');
});

test('others are asked a few times about one suspicion, and one canary at a time', () => {
  const fleet = fleetOf(ABC);
  let opened = 0;
  for (let i = 0; i < 10; i += 1) {
    opened += sentWork(fleet.batch('b', [{ fails: [{ sm: 1 }] }])).filter(({ kind }) => kind === 'canary').length;
    fleet.advance(31 * SECOND_US);
  }
  assert.equal(opened, 3 * MAX_TIE_BREAKS);
});

test('many at once are bounded, and what had no room is counted', () => {
  const nodes = Array.from({ length: MAX_OPEN + 8 }, (_, i) => `n${String(i).padStart(2, '0')}`);
  const fleet = fleetOf(nodes);
  for (const node of nodes.slice(0, MAX_OPEN + 3)) fleet.batch(node, [{ fails: [{ sm: 1 }] }]);
  assert.equal(fleet.state.canaries.open.length, MAX_OPEN);
  assert.equal(fleet.state.canaries.leftOut, 3);
  for (let i = 0; i < MAX_CLOSED + 5; i += 1) fleet.advance(600 * SECOND_US);
  assert.equal(fleet.state.canaries.closed.length, MAX_CLOSED);
});

test('devices out of service, paused or away take no part; where fewer than three remain there is no canary', () => {
  for (const [what, takeOut] of [
    [
      'paused',
      (fleet: Fleet) =>
        fleet.commit({ kind: 'pause', gpu: deviceIdOf('a'), paused: { untilUs: 0 }, reason: 'r', actor: 'alice' }),
    ],
    ['away', (fleet: Fleet) => fleet.commit({ kind: 'node-left', node: 'a' })],
    ['quarantined', (fleet: Fleet) => fleet.operator(deviceIdOf('a'), 'QUARANTINE')],
    [
      'another driver',
      (fleet: Fleet) => fleet.hello('a', { devices: [describe(deviceIdOf('a'), { driverVersion: '2' })] }),
    ],
  ] as const) {
    const fleet = fleetOf(ABC);
    takeOut(fleet);
    fleet.advance(1_201 * SECOND_US);
    assert.deepEqual([fleet.state.canaries.open.length, fleet.state.canaries.closed.length], [0, 0], what);
  }
});

test('switched off there are none, and other settings act at once', () => {
  const fleet = fleetOf(ABC, { enabled: false });
  fleet.advance(3_600 * SECOND_US);
  assert.deepEqual(fleet.state.canaries.nextUs, null);
  fleet.configure(configWith({}, { tmr: { ...TMR, interval_seconds: 60 } }));
  fleet.advance(60 * SECOND_US);
  assert.equal(fleet.state.canaries.open.length, 1);
});

test('canaries survive a restart', () => {
  const fleet = fleetOf(ABC);
  fleet.advance(600 * SECOND_US);
  answer(fleet, 'a', GOLDEN);
  fleet.restart();
  answer(fleet, 'b', GOLDEN);
  answer(fleet, 'c', GOLDEN);
  assert.deepEqual(outcomes(fleet), [['AGREED']]);
});

test('agreement stays with the hardware that is taken out: its successor begins without any, and no answer of it is taken', () => {
  const fleet = fleetOf(ABC);
  const B = deviceIdOf('b');
  fleet.hello('b', { devices: [describe(B, { serial: 'S1' })] });
  fleet.advance(600 * SECOND_US);
  for (const node of ABC) answer(fleet, node, GOLDEN);
  fleet.advance(600 * SECOND_US);
  answer(fleet, 'b', WRONG);
  fleet.hello('b', { devices: [describe(B, { serial: 'S2' })] });
  const old = `${B}@S1`;
  const edges = () => Object.values(fleet.state.canaries.trust).flat();
  const ends = () => edges().flatMap(({ a, b }) => [a, b]);
  assert.equal(ends().filter((id) => id === old).length, 2);
  assert.ok(!ends().includes(B));
  answer(fleet, 'a', GOLDEN);
  answer(fleet, 'c', GOLDEN);
  assert.deepEqual(outcomes(fleet)[0], ['DISSENT', old]);
  assert.deepEqual([fleet.device(old).state, fleet.device(B).state], ['HEALTHY', 'HEALTHY']);
  fleet.batch('b', [{}, { family: 2 }]);
  fleet.advance(600 * SECOND_US);
  for (const node of ABC) answer(fleet, node, GOLDEN);
  const fresh = edges().filter(({ a, b }) => a === B || b === B);
  assert.deepEqual(
    fresh.map(({ agreed, disagreed }) => [agreed, disagreed]),
    [
      [1, 0],
      [1, 0],
    ],
  );
});

test('an edge of the trust graph that finds no room is counted', () => {
  const fleet = fleetOf(ABC);
  fleet.advance(600 * SECOND_US);
  const cohort = fleet.state.canaries.open[0]?.cohort ?? '';
  const edges = Array.from({ length: MAX_EDGES }, (_, i) => ({
    a: `x${i}`,
    b: 'y',
    agreed: 1,
    disagreed: 0,
    lastUs: i,
  }));
  fleet.state.canaries = { ...fleet.state.canaries, trust: { [cohort]: edges } };
  const [, , last] = ABC.map((node) => answer(fleet, node, GOLDEN));
  assert.deepEqual(last?.forgotten, { trust_edge: 3 });
  assert.equal(fleet.state.canaries.edgesForgotten, 3);
});

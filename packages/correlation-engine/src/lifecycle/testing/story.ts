import fc from 'fast-check';
import { RunFlag, RunKind } from '../../evidence/model/terms.js';
import { FMA32, INT_AES, type RunSpec, repeat, SMS } from '../../evidence/testing/batches.js';
import { CONFIG, configWith, NO_QUARANTINES } from '../../evidence/testing/config.js';
import { DAY_US, describe, deviceIdOf, type Fleet, openOf, SECOND_US } from './fleet.js';

/** One thing that may happen to a fleet. Numbers choose among what is possible at that time. */
export type Happening =
  | { what: 'hello'; node: number; build: number; test: boolean; selfTested: boolean; guest: boolean; serial: string }
  | { what: 'leave'; node: number }
  | { what: 'runs'; node: number; runs: readonly RunSpec[] }
  | { what: 'ordered'; node: number; directive: number; count: number; fails: boolean; loud: boolean; ran: boolean }
  | { what: 'status'; node: number; directive: number; done: boolean }
  | { what: 'gap'; node: number }
  | { what: 'anomalies'; node: number; source: number; count: number }
  | { what: 'operator'; node: number; action: number; waits: boolean }
  | { what: 'answer'; node: number; proposal: number; approve: boolean; own: boolean }
  | { what: 'config'; choice: number }
  | { what: 'wait'; us: number };

export const NODES = ['n1', 'n2', 'n3', 'n4'] as const;
const ACTIONS = ['QUARANTINE', 'REINSTATE', 'SCHEDULE_DEEP_TEST', 'CONDEMN'] as const;
const CONFIGS = [
  CONFIG,
  configWith({}, { mode: 'observe' }),
  configWith({ rate_limit: NO_QUARANTINES }),
  configWith({ dwell_small_seconds: 0, dwell_seconds: 20, followup_days: 0, deep_test_seconds: 5 }),
  configWith({ burst_executions: 3 }, { reinstatementPassCount: 4 }),
  configWith({}, { requireApproval: true, approvalExpiryHours: 1, maxQuarantineHours: 24 }),
  configWith({}, { mode: 'observe', maxQuarantineHours: 24 }),
];

const small = (max: number) => fc.integer({ min: 0, max });

const failure = fc.record({
  sm: fc.constantFrom(...SMS),
  siblings: fc.constantFrom([3, 3, 0], [3, 1, 0], [3, 0, 3], [3, 1, 2], [0, 0, 0]),
  smStable: fc.boolean(),
});

const run: fc.Arbitrary<RunSpec> = fc
  .record({
    family: fc.constantFrom(FMA32, INT_AES),
    kind: fc.constantFrom(RunKind.SCHEDULED, RunKind.SIBLING, RunKind.RERUN),
    offsetUs: small(5_000_000),
    ran: fc.constantFrom(SMS, SMS, [0, 2], []),
    flags: fc.constantFrom(5, 5, 5, 4, 1, RunFlag.LOUD_FAULT | 5),
    failures: fc.uniqueArray(failure, { maxLength: 2, selector: (entry) => entry.sm }),
    failing: small(5),
  })
  .map(({ failures, failing, ...spec }) => ({
    ...spec,
    fails: (failing === 0 ? failures : [])
      .filter(({ sm }) => spec.ran.includes(sm))
      .map(({ sm, siblings: [siblingsRun = 0, siblingsPassed = 0, siblingsSameDigest = 0], smStable }) => ({
        sm,
        smStable,
        siblingsRun,
        siblingsPassed,
        siblingsSameDigest,
      })),
  }));

const node = small(NODES.length - 1);

const anomalies = fc.record({
  what: fc.constant('anomalies' as const),
  node,
  source: small(3),
  count: fc.constantFrom(1, 5, 50),
});

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant('hello' as const),
      node,
      build: small(3),
      test: fc.boolean(),
      selfTested: fc.boolean(),
      guest: fc.boolean(),
      serial: fc.constantFrom('', 'A', 'A', 'A', 'B'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('leave' as const), node }) },
  {
    weight: 5,
    arbitrary: fc.record({ what: fc.constant('runs' as const), node, runs: fc.array(run, { maxLength: 6 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant('ordered' as const),
      node,
      directive: small(3),
      count: fc.constantFrom(1, 3, 5, 1000),
      fails: fc.boolean(),
      loud: fc.boolean(),
      ran: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant('status' as const), node, directive: small(3), done: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('gap' as const), node }) },
  { weight: 1, arbitrary: anomalies },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant('operator' as const),
      node,
      action: small(ACTIONS.length - 1),
      waits: fc.constantFrom(false, false, true),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant('answer' as const),
      node,
      proposal: fc.constantFrom(0, 0, 1),
      approve: fc.boolean(),
      own: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('config' as const), choice: small(CONFIGS.length - 1) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant('wait' as const),
      us: fc.constantFrom(0, SECOND_US, 11 * SECOND_US, 700 * SECOND_US, 3 * DAY_US, 8 * DAY_US),
    }),
  },
);

const FAILS: Happening = { what: 'runs', node: 0, runs: [{ fails: [{ sm: 1 }] }] };
const ANSWERS: Happening = { what: 'ordered', node: 0, directive: 0, count: 3, fails: true, loud: false, ran: true };
const OPENINGS: Happening[][] = [
  [],
  [hi(0, true), FAILS],
  [hi(0, true), FAILS, ANSWERS, { what: 'wait', us: 11 * SECOND_US }],
  [hi(0, true), FAILS, ANSWERS, { what: 'wait', us: 11 * SECOND_US }, hi(1, false)],
];

const CLEAN: Happening[] = NODES.map((_, at) => ({ what: 'runs', node: at, runs: [{}, { family: INT_AES }] }));

function hi(build: number, test: boolean): Extract<Happening, { what: 'hello' }> {
  return { what: 'hello', node: 0, build, test, selfTested: true, guest: false, serial: 'A' };
}

/** Some stories begin where chance alone would seldom lead: with a suspect, in quarantine, before a deep test. */
export const story: fc.Arbitrary<readonly Happening[]> = fc
  .tuple(fc.constantFrom(...OPENINGS), fc.array(happening, { minLength: 1, maxLength: 30, size: 'max' }))
  .map(([opening, rest]) => [...opening, ...rest]);

/** Lets it happen, as far as it can in the fleet's present state. */
export function happen(fleet: Fleet, event: Happening): void {
  if (event.what === 'wait') fleet.advance(event.us);
  else if (event.what === 'config') fleet.configure(CONFIGS[event.choice] ?? CONFIG);
  else {
    const name = NODES[event.node] ?? NODES[0];
    if (event.what === 'hello') hello(fleet, name, event);
    else if (fleet.state.nodes.has(name)) happenOnNode(fleet, name, event);
  }
}

type OnNode = Exclude<Happening, { what: 'wait' | 'config' | 'hello' }>;

function happenOnNode(fleet: Fleet, name: string, event: OnNode): void {
  switch (event.what) {
    case 'leave':
      fleet.commit({ kind: 'node-left', node: name });
      break;
    case 'runs':
      fleet.batch(name, event.runs);
      break;
    case 'operator':
      fleet.operator(deviceIdOf(name), ACTIONS[event.action] ?? 'QUARANTINE', { requiresApproval: event.waits });
      break;
    case 'answer':
      answer(fleet, name, event);
      break;
    case 'gap':
      gap(fleet, name);
      break;
    case 'anomalies':
      anomaliesOn(fleet, name, event);
      break;
    default:
      onDirective(fleet, name, event);
  }
}

function answer(fleet: Fleet, name: string, event: Extract<Happening, { what: 'answer' }>): void {
  const proposal = fleet.state.devices.get(deviceIdOf(name))?.proposals[event.proposal];
  fleet.answerProposal(proposal?.id ?? 'none', event.approve ? 'APPROVE' : 'REJECT', event.own ? 'alice' : 'bob');
}

function anomaliesOn(fleet: Fleet, name: string, event: Extract<Happening, { what: 'anomalies' }>): void {
  const fields = { node: name, gpu: deviceIdOf(name), source: `source-${event.source}`, type: 'ENTROPY_ANOMALY' };
  for (let i = 0; i < event.count; i += 1)
    fleet.commit({ kind: 'anomaly', ...fields, timeUs: fleet.nowUs, job: '', jobGpus: 0 });
}

/** A fleet without a single wrong result, whatever its monitors say. */
export const softStory: fc.Arbitrary<readonly Happening[]> = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: anomalies },
      { weight: 1, arbitrary: fc.constantFrom<Happening>(...CLEAN) },
      { weight: 2, arbitrary: fc.constant<Happening>({ what: 'wait', us: DAY_US }) },
      { weight: 1, arbitrary: fc.record({ what: fc.constant('config' as const), choice: small(CONFIGS.length - 1) }) },
    ),
    { minLength: 5, maxLength: 40, size: 'max' },
  )
  .map((rest) => [...NODES.map((_, at) => ({ ...hi(0, false), node: at })), ...rest]);

function gap(fleet: Fleet, name: string): void {
  const lost = { runs: 5, executions: 20, mismatches: 1, firstTimeUs: 0, lastTimeUs: fleet.nowUs };
  fleet.commit({ kind: 'gap', ...fleet.origin(name), ...lost });
}

function hello(fleet: Fleet, name: string, event: Extract<Happening, { what: 'hello' }>): void {
  const tested = { selfTestSmsPassed: event.selfTested ? 4 : 1 };
  const plain = describe(deviceIdOf(name), { serial: event.serial });
  const own = { ...plain, families: plain.families.map((family) => ({ ...family, ...tested })) };
  const devices = event.guest ? [own, describe('CPU-guest')] : [own];
  fleet.hello(name, { buildId: `build-${event.build}${event.test ? '-test' : ''}`, testBuild: event.test, devices });
}

function onDirective(fleet: Fleet, name: string, event: Extract<Happening, { what: 'ordered' | 'status' }>): void {
  const id = deviceIdOf(name);
  const device = fleet.state.devices.get(id);
  const directive = device?.directives[event.directive];
  if (device?.node !== name || directive === undefined) return;
  if (event.what === 'status') {
    const state = event.done ? 'DONE' : 'REFUSED';
    fleet.commit({ kind: 'directive-status', node: name, directiveId: directive.id, state, reason: 'so' });
    return;
  }
  const unit = directive.units[0] ?? directive;
  const kinds = { burst: RunKind.BURST, 'follow-up': RunKind.FOLLOW_UP, 'deep-test': RunKind.DEEP_TEST };
  const ran = event.ran ? [unit.sm] : [];
  const spec = { family: unit.family, kind: kinds[directive.kind], single: unit.sm, ran, directive: directive.id };
  const fails = event.fails && event.ran ? [{ sm: unit.sm }] : [];
  fleet.batch(name, repeat(event.count, { ...spec, fails, flags: event.loud ? 7 : 5 }));
}

/** The device that failed and what it failed with, without times: what the order of arrival must not change. */
export function outcome(fleet: Fleet): unknown {
  return [...fleet.state.devices.values()]
    .map((device) => ({
      id: device.id,
      state: device.state,
      units: device.units.map(({ family, sm, counted, answers, accused, unlocated }) => ({
        family,
        sm,
        counted,
        answers,
        accused,
        unlocated,
      })),
      open: (['burst', 'follow-up', 'deep-test'] as const).filter((kind) => openOf(device, kind) !== undefined),
      injected: device.injectedEvidence,
    }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

import { fleetOf } from '../evidence/draft.js';
import { familyName } from '../evidence/families.js';
import { heldUnits } from '../evidence/held-units.js';
import type { DirectiveState } from '../evidence/model/orders.js';
import type { UnitState } from '../evidence/model/unit.js';
import { NOTHING_YET } from '../evidence/register.js';
import { softCusum } from '../evidence/soft/soft.js';
import { unitName } from '../evidence/unit-name.js';
import { isInjected } from '../lifecycle/detail.js';
import { jobSentences } from './jobs.js';
import { askedAgain, failedTestSentences } from './next-deep-test.js';
import { percent, posteriorSentences } from './posterior.js';
import { dateOf, holdingGates, openDirectives, type View } from './view.js';
import { waitingSentences } from './waiting.js';

const MAX_UNITS_NAMED = 8;
const SOFT_FACTOR_SAID = 2;
const DAY_US = 86_400_000_000;

/** Why the device is in its state, most important first. */
export function whyInThisState(view: View): string[] {
  const { device } = view;
  const since = `${device.state} since ${dateOf(device.stateSinceUs)}`;
  const how = device.stateReason.includes(` Approved by ${device.stateActor}: `) ? 'approved' : 'ordered';
  const by = device.stateActor === '' ? '' : `, ${how} by ${device.stateActor}`;
  return [
    `${since}${by}: ${reason(view)}`,
    ...injected(view),
    ...observe(view),
    ...waitingSentences(view),
    ...evidence(view),
    ...loud(view),
    ...soft(view),
    ...gateSentences(view),
    ...openDirectives(device).map((directive) => work(directive)),
    ...failedTestSentences(view),
    ...refused(view),
    ...absent(view),
    ...claimed(view),
  ];
}

/** The reason of the first state is that of a device without a mismatch; one that a gate held changes no state. */
function reason({ device }: View): string {
  return device.stateReason === NOTHING_YET && device.gates.length > 0
    ? 'no mismatch counts against it.'
    : device.stateReason;
}

/** Reports of a device come from one node. */
function claimed({ device, facts }: View): string[] {
  const claim = fleetOf(facts).claims?.[device.id];
  if (claim === undefined) return [];
  return [
    `${claim.node} says that it has this device, while ${device.node}, which is connected, had it last: reports of ${claim.node} about it are not taken until the agent of ${device.node} no longer names it or ends.`,
  ];
}

function injected({ device }: View): string[] {
  if (!isInjected(device)) return [];
  const evidenceSentence =
    'INJECTED: evidence behind this state came from a test build with fault injection, not from a real fault.';
  const buildSentence = 'INJECTED: the agent now connected is a test build with fault injection.';
  return [...(device.injectedEvidence ? [evidenceSentence] : []), ...(device.testBuild ? [buildSentence] : [])];
}

function observe({ device, config }: View): string[] {
  if (device.wouldBe === 'CONDEMNED')
    return ['Enforce mode would have asked an operator to condemn it; observe mode only records that.'];
  if (device.wouldBe !== null)
    return [`Enforce mode would have made it ${device.wouldBe}; observe mode only records that.`];
  return config.mode === 'observe' ? ['The engine is in observe mode: it records decisions and carries none out.'] : [];
}

function evidence(view: View): string[] {
  const { device, assessment } = view;
  const held = heldUnits(device);
  if (held.length === 0) return jobSentences(view);
  const units = held.slice(0, MAX_UNITS_NAMED).map(unitText);
  const more = held.length - units.length;
  const said = device.stateReason.includes('hard observation');
  return [
    ...(said ? [] : [`${assessment.reason}.`]),
    `Failing: ${units.join('; ')}${more > 0 ? `; and ${more} more units` : ''}.`,
    ...jobSentences(view),
    ...posteriorSentences(device, assessment),
    ...device.patterns.map(
      ({ name, confidence, evidence: why }) => `Pattern ${name} (confidence ${percent(confidence)}): ${why}`,
    ),
  ];
}

/** A device that breaks loudly may compute wrongly as well, but that is not what quarantines it. */
function loud({ device: { loudFaults } }: View): string[] {
  if (loudFaults === null) return [];
  const { count, lastUs, lastDetail } = loudFaults;
  const what = count === 1 ? 'One loud fault' : `${count} loud faults`;
  return [`${what} reported by its agent, the newest on ${dateOf(lastUs)}: ${lastDetail}.`];
}

/** What is no wrong result of a probe; said from where on it makes a difference that a person would notice. */
function soft({ device, facts, nowUs }: View): string[] {
  const factor = Math.exp(softCusum(facts, device, nowUs));
  if (factor < SOFT_FACTOR_SAID) return [];
  const sources = device.soft
    .map(({ source, day }) => `${source} (newest on ${dateOf(day * DAY_US).slice(0, 10)})`)
    .join(', ');
  return [
    `Soft evidence, which never quarantines, makes a defect ${Math.round(factor)} times likelier to begin: ${sources}.`,
  ];
}

function unitText(unit: UnitState): string {
  const unlocated = unit.unlocated > 0 ? `, ${unit.unlocated} that no other SM could check` : '';
  const excused = unit.excused > 0 ? `, ${unit.excused} that an incident explained` : '';
  const accused =
    unit.ofWholeDevice !== true && unit.counted > unit.accused ? `, of which ${unit.accused} accuse this SM alone` : '';
  return `${unitName(unit)} (${unit.counted} counted, ${unit.answers} in answer${accused}${unlocated}${excused})`;
}

function gateSentences(view: View): string[] {
  const { device, gates } = view;
  if (gates.length === 0)
    return [
      device.state === 'HEALTHY' || device.state === 'SUSPECT'
        ? 'No gate was evaluated: nothing asked for a decision.'
        : 'No gate was evaluated: an operator decided.',
    ];
  if (gates.length < 7 && device.state === 'HEALTHY')
    return [...holding(view), 'Gates 3 to 7 were not evaluated: no evidence against the device counts.'];
  return device.state === 'HEALTHY' || device.state === 'SUSPECT' ? holding(view) : [];
}

function holding(view: View): string[] {
  return holdingGates(view).map((gate) => `Gate ${gate.number} (${gate.name}) holds: ${gate.reason}`);
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function work(directive: DirectiveState): string {
  const unit = `${familyName(directive.family)} on SM ${directive.sm}`;
  switch (directive.kind) {
    case 'burst':
      return `Burst of ${unit}: ${directive.done} of ${directive.executions} executions ran, ${directive.failures} failed.`;
    case 'follow-up':
      return `Watch of ${unit} until ${dateOf(directive.untilUs)}: ${directive.done} executions ran, ${directive.failures} failed.`;
    case 'deep-test':
      return directive.startedUs === null
        ? `A deep test of ${plural(directive.units.length, 'unit')} waits for its first execution.`
        : `Deep test of ${plural(directive.units.length, 'unit')} since ${dateOf(directive.startedUs)}: ${directive.done} runs, ${directive.failures} failures.`;
  }
}

/** Work that the agent would not do: the newest of each kind, while nothing else of that kind is open. */
function refused(view: View): string[] {
  const { device } = view;
  if (device.state === 'HEALTHY') return [];
  const open = new Set(openDirectives(device).map(({ kind }) => kind));
  const [newest] = device.directives.filter(({ kind, status }) => status === 'refused' && !open.has(kind));
  if (newest === undefined) return [];
  const { kind, family, sm, reason: why } = newest;
  return kind === 'deep-test'
    ? [`The agent refused the deep test: ${why}. ${askedAgain(view)}`]
    : [
        `The agent refused the ${kind} of ${familyName(family)} on SM ${sm}: ${why}. The next mismatch there asks again.`,
      ];
}

function absent({ connected, device }: View): string[] {
  return connected ? [] : [`Its agent on ${device.node} is not connected, so nothing new is known.`];
}

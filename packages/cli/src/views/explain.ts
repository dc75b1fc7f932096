import type { ExplainDecisionResponse, GateOutcome, Observation, Transition } from '@sentinel/contracts/sentinel/v1/health.js';
import { GateOutcome_Verdict } from '@sentinel/contracts/sentinel/v1/health.js';
import { differing, familyName, injectedMark, kindName, paint, paintState, time, words } from './format.js';
import { directiveText, gpuTable } from './fleet.js';
import { table } from './table.js';

const SHOWN_OBSERVATIONS = 8;

/** Everything an operator on call needs to believe, or doubt, a decision. */
export function explanation(answer: ExplainDecisionResponse, nowUs: bigint): string {
  const health = answer.health;
  if (health === undefined) return 'The engine sent no health for this device.';
  return [
    gpuTable([health], nowUs),
    `identity: ${health.identity}   build: ${health.buildId}`,
    section('Why', answer.sentences.map((sentence) => `  ${sentence}`)),
    section('Gates', answer.gates.length === 0 ? [] : [gateTable(answer.gates)]),
    section(
      `Observations (${answer.hardObservations} counted, ${answer.answers} of them in answer to an earlier one)`,
      observationLines(answer.observations),
    ),
    section('Work under way or done', health.directives.map((directive) => `  ${directiveText(directive)}`)),
    section('Reinstatement', reinstatementLines(answer)),
    section('History', answer.transitions.map((transition) => `  ${transitionLine(transition)}`)),
    section('What would change this', answer.whatWouldChange.map((sentence) => `  ${sentence}`)),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : [`\n${paint('bold', title)}`, ...lines].join('\n');
}

const VERDICT_TEXT: Readonly<Record<number, string>> = {
  [GateOutcome_Verdict.PASS]: 'PASS',
  [GateOutcome_Verdict.HOLD]: 'HOLD',
  [GateOutcome_Verdict.NOT_EVALUABLE]: 'NOT_EVALUABLE',
};

function paintVerdict(gate: GateOutcome): string {
  const text = VERDICT_TEXT[gate.verdict] ?? 'UNKNOWN';
  if (gate.verdict === GateOutcome_Verdict.PASS) return paint('green', text);
  return paint(gate.verdict === GateOutcome_Verdict.HOLD ? 'red' : 'yellow', text);
}

function gateTable(gates: readonly GateOutcome[]): string {
  const rows = gates.map((gate) => [`  ${gate.number}`, gate.name, paintVerdict(gate), gate.reason, inputsText(gate)]);
  return table([{ title: '  #' }, { title: 'GATE' }, { title: 'VERDICT' }, { title: 'REASON' }, { title: 'INPUTS' }], rows);
}

function inputsText(gate: GateOutcome): string {
  return Object.entries(gate.inputs)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

function observationLines(observations: readonly Observation[]): string[] {
  const lines = observations.slice(0, SHOWN_OBSERVATIONS).flatMap(observationText);
  const more = observations.length - SHOWN_OBSERVATIONS;
  return more > 0 ? [...lines, `  … and ${more} more (--output json shows all that the engine returned)`] : lines;
}

function observationText(seen: Observation): string[] {
  const verdict = seen.counted ? 'counted' : `held by ${seen.heldBy}`;
  const mark = injectedMark(seen.injected);
  return [
    `  ${time(seen.timeUs)}  ${familyName(seen.family)} on SM ${seen.sm}, ${kindName(seen.kind)}, ${verdict}; ${seen.siblingsPassed} of ${seen.siblingsRun} sibling SMs passed${mark === '' ? '' : ` ${mark}`}`,
    `    epoch ${seen.epoch} index ${seen.index} lane ${seen.lane} iteration ${seen.iteration}: operands ${words(seen.operands)}`,
    `    expected ${words(seen.expected)}  got ${paint('red', words(seen.actual))}  differing bits ${words(differing(seen.expected, seen.actual))}  (${seen.mismatchCount} wrong results in this execution)`,
  ];
}

function reinstatementLines(answer: ExplainDecisionResponse): string[] {
  return (answer.reinstatement?.units ?? []).map(
    (unit) => `  ${familyName(unit.family)} on SM ${unit.sm}: ${unit.clean} of ${unit.needed} clean executions`,
  );
}

export function transitionLine(transition: Transition): string {
  const ledger = transition.ledgerSeq === undefined ? 'waiting for the ledger' : `ledger entry ${transition.ledgerSeq}`;
  const actor = transition.actor === '' ? '' : ` by ${transition.actor}`;
  const mark = injectedMark(transition.injected);
  return `${time(transition.timeUs)}  ${paintState(transition.from)} -> ${paintState(transition.to)}${actor}: ${transition.reason} (${ledger})${mark === '' ? '' : ` ${mark}`}`;
}

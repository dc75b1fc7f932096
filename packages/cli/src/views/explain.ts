import type {
  ExplainDecisionResponse,
  GateOutcome,
  Reinstatement,
  Transition,
} from '@sentinel/contracts/sentinel/v1/health.js';
import { GateOutcome_Verdict } from '@sentinel/contracts/sentinel/v1/health.js';
import { directiveText } from './fleet.js';
import { count, familyName, injectedMark, paint, paintState, time } from './format.js';
import { headLines } from './gpu.js';
import { observationLines } from './observation.js';
import { hang } from './wrap.js';

/** Everything an operator on call needs to believe, or doubt, a decision. */
export function explanation(answer: ExplainDecisionResponse, nowUs: bigint): string {
  const { health, hardObservations: counted, answers } = answer;
  if (health === undefined) return 'The engine sent no health for this device.';
  const seen = answer.observations.length;
  return [
    ...headLines(health, nowUs),
    ...section('Why', bullets(answer.sentences)),
    ...section('Gates', answer.gates.flatMap(gateLines)),
    ...section(
      `Wrong results (${seen} listed). Counted now: ${counted}, ${answers} in answer to another`,
      observationLines(answer),
    ),
    ...section(
      'Work ordered',
      health.directives.map((directive) => `  ${directiveText(directive)}`),
    ),
    ...section('Reinstatement', reinstatementLines(answer.reinstatement)),
    ...section('Transitions, newest first', answer.transitions.flatMap(transitionLines)),
    ...section('What would change this', bullets(answer.whatWouldChange)),
  ].join('\n');
}

export function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', paint('bold', title), ...lines];
}

export function bullets(sentences: readonly string[]): string[] {
  return sentences.flatMap((sentence) => hang('  - ', sentence));
}

const VERDICT_TEXT: Readonly<Record<number, string>> = {
  [GateOutcome_Verdict.PASS]: 'PASS',
  [GateOutcome_Verdict.HOLD]: 'HOLD',
  [GateOutcome_Verdict.NOT_EVALUABLE]: 'NOT_EVALUABLE',
};
const VERDICT_WIDTH = 'NOT_EVALUABLE'.length;
const GATE_WIDTH = 'rate-limit'.length;

export function gateLines(gate: GateOutcome): string[] {
  const inputs = Object.entries(gate.inputs).map(([name, value]) => `${name}: ${value}`);
  const head = `  ${gate.number} ${gate.name.padEnd(GATE_WIDTH)}  ${verdict(gate)}  `;
  const reason = gate.reason === '' ? [head.trimEnd()] : hang(head, gate.reason);
  return inputs.length === 0
    ? reason
    : [...reason, ...hang('      ', inputs.join('; ')).map((line) => paint('dim', line))];
}

function verdict({ verdict: value }: GateOutcome): string {
  const text = (VERDICT_TEXT[value] ?? 'UNKNOWN').padEnd(VERDICT_WIDTH);
  if (value === GateOutcome_Verdict.PASS) return paint('green', text);
  return paint(value === GateOutcome_Verdict.HOLD ? 'red' : 'yellow', text);
}

function reinstatementLines(reinstatement: Reinstatement | undefined): string[] {
  return (reinstatement?.units ?? []).map(
    ({ family, sm, clean, needed }) =>
      `  ${familyName(family)} on SM ${sm}: ${count(clean)} of ${count(needed)} clean executions`,
  );
}

export function transitionLines(transition: Transition): string[] {
  const head = `  ${time(transition.timeUs)}  `;
  const indent = ' '.repeat(head.length);
  return [
    ...hang(head, transitionText(transition)),
    ...transition.evidence.flatMap((entry) => hang(`${indent}evidence: `, entry)),
  ];
}

/** In one line, without its time. */
export function transitionText(transition: Transition): string {
  const actor = transition.actor === '' ? '' : ` by ${transition.actor}`;
  const ledger = transition.ledgerSeq === undefined ? 'waiting for the ledger' : `ledger entry ${transition.ledgerSeq}`;
  const mark = injectedMark(transition.injected);
  const change = `${paintState(transition.from)} -> ${paintState(transition.to)}${mark === '' ? '' : ` ${mark}`}${actor}`;
  return `${change}: ${transition.reason} (${ledger})`;
}

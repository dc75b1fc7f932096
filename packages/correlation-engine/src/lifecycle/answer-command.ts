import type { OperatorAction } from '../evidence/model/orders.js';

const VERBS: Readonly<Record<OperatorAction, string>> = {
  QUARANTINE: 'quarantine',
  REINSTATE: 'reinstate',
  SCHEDULE_DEEP_TEST: 'deep-test',
  CONDEMN: 'condemn',
};

/** The command line that orders an action on a device. */
export function orderCommand(action: OperatorAction, gpu: string): string {
  return `npx sentinel ${VERBS[action]} ${shellWord(gpu)} --reason "…"`;
}

/** Command lines that answer a proposal, as an operator can copy them; the dots stand for the operator's own words. */
export function answerCommand(answer: 'approve' | 'reject', id: string): string {
  return `npx sentinel ${answer} ${shellWord(id)} --reason "…"`;
}

/** An operator may have chosen any text as the id of an order; ids of hardware have an @. */
function shellWord(text: string): string {
  return /^[\w.:@%+=,/][\w.:@%+=,/-]*$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

import type { KnownAnswerResult } from '@sentinel/native-probes';
import type { ProbeChild } from '../probe-child/probe-child.js';
import type { SelfTest } from './devices.js';

/** Known answers of one SM. */
const TIMEOUT_MS = 10_000;

/** The release's committed known answers on every SM, at start. An SM whose child hung or died is not in it. */
export async function selfTest(child: Pick<ProbeChild, 'ask'>, sms: readonly number[]): Promise<SelfTest> {
  const answers = new Map<number, readonly KnownAnswerResult[]>();
  for (const sm of sms) {
    const reply = await child.ask('knownAnswers', sm, TIMEOUT_MS);
    if (reply.kind === 'answer') answers.set(sm, reply.value);
  }
  return answers;
}

/** A sentence for each family that an SM got wrong. */
export function failures(test: SelfTest): { readonly sm: number; readonly sentence: string }[] {
  return [...test].flatMap(([sm, answers]) =>
    answers
      .filter(({ result }) => result === 'FAIL')
      .map(({ family, firstBad }) => {
        const at = firstBad === null ? '' : ` (epoch ${firstBad.epoch}, index ${firstBad.index}, ${firstBad.source})`;
        return { sm, sentence: `SM ${sm} does not reproduce the known answers of ${family}${at}` };
      }),
  );
}

import type { DeviceFamily } from '@sentinel/contracts/sentinel/v1/common.js';
import type { FamilyInfo, KnownAnswerResult } from '@sentinel/native-probes';
import { isFamilyName, wireFamily } from '../families.js';
import type { ProbeChild } from '../probe-child/probe-child.js';

/** Known answers of one SM. */
const TIMEOUT_MS = 60_000;

/** Known answers by SM. */
export type SelfTest = ReadonlyMap<number, readonly KnownAnswerResult[]>;

/** The release's committed known answers on every CPU, at start. A CPU whose child hung or died is not in it. */
export async function selfTest(child: Pick<ProbeChild, 'ask'>, cpus: readonly number[]): Promise<SelfTest> {
  const answers = new Map<number, readonly KnownAnswerResult[]>();
  for (const cpu of cpus) {
    const reply = await child.ask('knownAnswers', cpu, TIMEOUT_MS);
    if (reply.kind === 'answer') answers.set(cpu, reply.value);
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

/** How many SMs ran the known answers of a family, and how many reproduced them. INCONCLUSIVE ones ran and reproduced nothing. */
export function tally(test: SelfTest, family: string): { readonly run: number; readonly passed: number } {
  const results = [...test.values()].flatMap((answers) => answers.filter((answer) => answer.family === family));
  return {
    run: results.filter(({ result }) => result !== 'NOT_RUN' && result !== 'ERROR').length,
    passed: results.filter(({ passed }) => passed).length,
  };
}

/** The families of a device on the wire, with what its self test found. */
export function describeFamilies(families: readonly FamilyInfo[], test: SelfTest): DeviceFamily[] {
  return families.flatMap(({ name, available, probeVersion, instructions }) => {
    if (!available || !isFamilyName(name)) return [];
    const { run, passed } = tally(test, name);
    const self = { selfTestSmsRun: run, selfTestSmsPassed: passed };
    return { family: wireFamily(name), probeVersion, ...self, instructions: [...instructions] };
  });
}

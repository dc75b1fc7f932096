import type { ComparedAnswer } from '../job-record.js';
import { votersOf } from './voters.js';

/** Others that have to agree with one another before a device is accused. */
const OTHERS_THAT_AGREE = 2;

/** A device that gave another answer than most. */
export interface Outvoted {
  readonly gpu: string;
  /** Its own wrong answer; of several the smallest. */
  readonly digest: string;
  /** It answered twice, and not alike. */
  readonly wavers: boolean;
  /** Devices that gave this answer together, itself among them: any of them may be to blame. 1 = it alone. */
  readonly together: number;
}

export interface JobVerdict {
  /** TOO_FEW = fewer than three voters answered; NO_MAJORITY = no answer is that of more than half of them. */
  readonly outcome: 'OUTVOTED' | 'AGREED' | 'NO_MAJORITY' | 'TOO_FEW';
  /** Answer of the majority; '' = there is none. */
  readonly digest: string;
  /** Voters, and those whose only answer is that of the majority: devices, and groups of devices that answered together. */
  readonly devices: number;
  readonly agreeing: number;
  /** Those that gave another answer, each member of a group; [] = devices that are not known did. */
  readonly outvoted: readonly Outvoted[];
}

/**
 * The vote over answers that had to be equal, by devices: however many ranks run on a device, and however often it answered, it has one
 * vote, and none where it contradicts itself. Devices that answered together have one vote. More than half of all voters, and two besides
 * the accused, have to have given one and the same answer; then whoever gave another is outvoted. Two that differ, ties, and a job in which
 * everybody differs accuse nobody. The order of the answers does not matter.
 */
export function voteOf(answers: readonly ComparedAnswer[]): JobVerdict {
  const voters = votersOf(answers);
  const devices = voters.length;
  const all = new Set(answers.map(({ digest }) => digest));
  const [first = ''] = all;
  if (all.size === 1) return { outcome: 'AGREED', digest: first, devices, agreeing: devices, outvoted: [] };
  if (devices <= OTHERS_THAT_AGREE) return { outcome: 'TOO_FEW', digest: '', devices, agreeing: 0, outvoted: [] };
  const votes = new Map<string, number>();
  for (const { digests } of voters) {
    const [only] = digests;
    if (digests.size === 1 && only !== undefined) votes.set(only, (votes.get(only) ?? 0) + 1);
  }
  const [digest, agreeing] = [...votes].find(([, count]) => 2 * count > devices) ?? ['', 0];
  if (agreeing < OTHERS_THAT_AGREE) return { outcome: 'NO_MAJORITY', digest: '', devices, agreeing: 0, outvoted: [] };
  const outvoted = voters.flatMap(({ gpus, digests }) => {
    const [wrong] = [...digests].filter((other) => other !== digest).sort();
    if (wrong === undefined) return [];
    return [...gpus].map((gpu) => ({ gpu, digest: wrong, wavers: digests.size > 1, together: gpus.size }));
  });
  outvoted.sort((a, b) => (a.gpu < b.gpu ? -1 : 1));
  return { outcome: 'OUTVOTED', digest, devices, agreeing, outvoted };
}

import type { ComparedAnswer } from '../record.js';

/** Others that have to agree with one another before a device is accused. */
const OTHERS_THAT_AGREE = 2;

/** A device that gave another answer than most. */
export interface Outvoted {
  readonly gpu: string;
  /** Its own wrong answer; of several the smallest. */
  readonly digest: string;
  /** It answered twice, and not alike. */
  readonly wavers: boolean;
}

export interface JobVerdict {
  /** TOO_FEW = fewer than three devices answered; NO_MAJORITY = no answer is that of more than half of them. */
  readonly outcome: 'OUTVOTED' | 'AGREED' | 'NO_MAJORITY' | 'TOO_FEW';
  /** Answer of the majority; '' = there is none. */
  readonly digest: string;
  /** Devices that answered, those whose only answer is that of the majority, and those that gave another; [] = devices that are not known did. */
  readonly devices: number;
  readonly agreeing: number;
  readonly outvoted: readonly Outvoted[];
}

/**
 * The vote over answers that had to be equal, by devices: however many ranks run on a device, and however often it answered, it has one
 * vote, and none where it contradicts itself. More than half of all devices, and two besides the accused, have to have given one and
 * the same answer; then whoever gave another is outvoted. Two devices that differ, ties, and a job in which everybody differs accuse
 * nobody. The order of the answers does not matter.
 */
export function voteOf(answers: readonly ComparedAnswer[]): JobVerdict {
  const byDevice = new Map<string, Set<string>>();
  for (const { gpu, digest } of answers) {
    if (gpu === '') continue;
    const own = byDevice.get(gpu);
    if (own === undefined) byDevice.set(gpu, new Set([digest]));
    else own.add(digest);
  }
  const devices = byDevice.size;
  const all = new Set(answers.map(({ digest }) => digest));
  const [first = ''] = all;
  if (all.size === 1) return { outcome: 'AGREED', digest: first, devices, agreeing: devices, outvoted: [] };
  if (devices <= OTHERS_THAT_AGREE) return { outcome: 'TOO_FEW', digest: '', devices, agreeing: 0, outvoted: [] };
  const votes = new Map<string, number>();
  for (const own of byDevice.values()) {
    const [only] = own;
    if (own.size === 1 && only !== undefined) votes.set(only, (votes.get(only) ?? 0) + 1);
  }
  const [digest, agreeing] = [...votes].find(([, count]) => 2 * count > devices) ?? ['', 0];
  if (agreeing < OTHERS_THAT_AGREE) return { outcome: 'NO_MAJORITY', digest: '', devices, agreeing: 0, outvoted: [] };
  const outvoted = [...byDevice].flatMap(([gpu, own]) => {
    const [wrong] = [...own].filter((other) => other !== digest).sort();
    return wrong === undefined ? [] : { gpu, digest: wrong, wavers: own.size > 1 };
  });
  outvoted.sort((a, b) => (a.gpu < b.gpu ? -1 : 1));
  return { outcome: 'OUTVOTED', digest, devices, agreeing, outvoted };
}

import type { ComparedAnswer } from '../job-record.js';

/** Who has one vote: a device, or devices that answered together. */
export interface Voter {
  readonly gpus: Set<string>;
  readonly digests: Set<string>;
}

/** A device that is not known has no vote. Groups that share a device are one voter: whatever is wrong with it is wrong in both. */
export function votersOf(answers: readonly ComparedAnswer[]): Voter[] {
  const known = answers.filter(({ gpu }) => gpu !== '');
  const joined = new Map<string, string>();
  for (const { gpu, group } of known) if (group !== undefined) join(joined, gpu, `group ${group}`);
  const voters = new Map<string, Voter>();
  for (const { gpu, digest } of known) {
    const name = rootOf(joined, gpu);
    const voter = voters.get(name) ?? { gpus: new Set(), digests: new Set() };
    voter.gpus.add(gpu);
    voter.digests.add(digest);
    voters.set(name, voter);
  }
  return [...voters.values()];
}

function join(joined: Map<string, string>, one: string, other: string): void {
  const [a, b] = [rootOf(joined, one), rootOf(joined, other)];
  if (a !== b) joined.set(a, b);
}

function rootOf(joined: ReadonlyMap<string, string>, name: string): string {
  let root = name;
  for (let next = joined.get(root); next !== undefined; next = joined.get(root)) root = next;
  return root;
}

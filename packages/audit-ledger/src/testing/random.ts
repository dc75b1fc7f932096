/** Mulberry32: the same numbers for the same seed. */
export type Random = () => number;

export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The choices of one run of a bench: those of `--seed N`, or new ones, whose seed it says. */
export function seededBy(args: readonly string[], log: (line: string) => void): Random {
  const at = args.indexOf('--seed');
  const seed = at < 0 ? Date.now() % 2 ** 32 : Number(args[at + 1]);
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error(`--seed: ${args[at + 1]} is not a whole number`);
  log(`seed ${seed} (--seed ${seed} repeats its choices)`);
  return seeded(seed);
}

/** A whole number of [0, end). */
export function below(random: Random, end: number): number {
  return Math.floor(random() * end);
}

export function randomBytesOf(random: Random): (count: number) => Buffer {
  return (count) => {
    const bytes = Buffer.allocUnsafe(count);
    for (let i = 0; i < count; i += 1) bytes[i] = below(random, 256);
    return bytes;
  };
}

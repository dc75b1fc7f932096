import { bench } from '@sentinel/bench-kit';
import { type Flip, FlippedFolder } from '../testing/disk-flips.js';
import { draftOf, freshFolder, openTestLedger, requestOf } from '../testing/ledgers.js';
import { flipInMemory } from '../testing/memory-flips.js';
import { below, type Random, seededBy } from '../testing/random.js';

/** Entries of the commits of a small log, of which every byte is hit; the ledger's own, such as seals, come on top. */
const SMALL = [1, 5, 3, 1];
/** A log with a full index block and tiles of two levels. */
const BIG = [1, ...Array.from({ length: 516 }, () => 128)];
/** Flips at once in a file of the big log, far from one another: each must be found and located all the same. */
const AT_ONCE = 40;
/** Files in which a bit can be located to its entry. */
const LOCATED = /^(entries|details|hashes\/0)\//;

const FULL = { everyByte: 1, rounds: 18, trials: 10_000 };
const QUICK = { everyByte: 97, rounds: 1, trials: 50 };

/** Flipped bits at rest, which `verify --full` must find and locate, and in the memory of a commit, which must not be signed. */
export default bench({
  name: 'ledger-bitflip',
  run: async ({ quick, args, log }) => {
    const random = seededBy(args, log);
    const { everyByte, rounds, trials } = quick ? QUICK : FULL;
    const small = await flipSmallLog(everyByte, random, log);
    const big = await flipBigLog(rounds, random, log);
    const memory = await flipInMemory(trials, random);
    log(`memory: ${memory.dropped} batches dropped, ${memory.harmless} flips harmless`);
    for (const problem of memory.problems) log(problem);
    const figures = { missed: small.missed + big.missed, memory_signed: memory.signed };
    if (quick) return { figures, notRun: ['flips', 'memory_trials'] };
    return { figures: { ...figures, flips: small.flips + big.flips, memory_trials: memory.trials } };
  },
});

interface Count {
  readonly flips: number;
  readonly missed: number;
}

async function flipSmallLog(step: number, random: Random, log: (line: string) => void): Promise<Count> {
  const folder = await logOf(SMALL);
  let [flips, missed] = [0, 0];
  for (const { file, bytes } of folder.files()) {
    for (let byte = 0; byte < bytes; byte += step) {
      missed += await missedBy(folder, [{ file, bit: byte * 8 + below(random, 8) }], log);
      flips += 1;
    }
  }
  log(`small log: ${flips} bits, ${missed} missed`);
  return { flips, missed };
}

async function flipBigLog(rounds: number, random: Random, log: (line: string) => void): Promise<Count> {
  const folder = await logOf(BIG);
  let [flips, missed] = [0, 0];
  for (let round = 0; round < rounds; round += 1) {
    for (const file of folder.files()) {
      const hit = folder.spread(file, LOCATED.test(file.file) ? AT_ONCE : 1, random);
      missed += await missedBy(folder, hit, log);
      flips += hit.length;
    }
  }
  log(`big log: ${flips} bits, ${missed} missed`);
  return { flips, missed };
}

async function missedBy(folder: FlippedFolder, flips: readonly Flip[], log: (line: string) => void): Promise<number> {
  const missed = await folder.missed(flips);
  for (const { file, bit } of missed) log(`not found or not located: bit ${bit} of ${file}`);
  return missed.length;
}

async function logOf(commits: readonly number[]): Promise<FlippedFolder> {
  const folder = freshFolder();
  const { ledger, close } = await openTestLedger(folder);
  for (const count of commits.slice(1))
    await ledger.ingest(requestOf(Array.from({ length: count }, (_, n) => draftOf(n))));
  await close();
  return new FlippedFolder(folder);
}

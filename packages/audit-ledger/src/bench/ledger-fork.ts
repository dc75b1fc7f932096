import { bench } from '@sentinel/bench-kit';
import { generateSigningKeyText, parseSigningKey } from '../note/keys.js';
import { emptyTally, runSchedule, type Tally } from '../testing/fork/schedule.js';
import { SHARED_STORES } from '../testing/fork/shared-stores.js';

const SCHEDULES = 10_000;
const QUICK_SCHEDULES = 60;
const REPORT_EVERY = 500;

/**
 * Two writers over one store, with pauses, kills, cut connections, clock jumps, power cuts and stale restores, in orders that a
 * seed decides. Every checkpoint that any of them signs is held against every other. `--mutant` makes the writers sign before
 * the compare-and-swap, which must be found out; `--schedules N` runs so many of each backend, `--first SEED` those from there on.
 */
export default bench({
  name: 'ledger-fork',
  run: async ({ quick, args, log }) => {
    const number = (name: string, otherwise: number): number =>
      args.includes(name) ? Number(args[args.indexOf(name) + 1]) : otherwise;
    const schedules = number('--schedules', quick ? QUICK_SCHEDULES : SCHEDULES);
    const first = number('--first', 0);
    const signsFirst = args.includes('--mutant');
    const [file, scylla] = [emptyTally(), emptyTally()];
    for (const [kind, tally] of [
      ['file', file],
      ['scylla', scylla],
    ] as const)
      await runAll({ kind, first, schedules, signsFirst, log }, tally);
    const both = (name: keyof Tally): number => file[name] + scylla[name];
    return {
      figures: {
        ...(quick ? {} : { file_schedules: schedules, scylla_schedules: schedules, continued_logs: both('continued') }),
        file_inconsistent: file.inconsistent,
        scylla_inconsistent: scylla.inconsistent,
        checkpoints: both('signed'),
        stale_writers: both('stale'),
        unknown_outcomes: both('unknown'),
        refused_rollbacks: both('refused'),
        unexplained: both('unexplained'),
      },
      notRun: quick ? ['file_schedules', 'scylla_schedules', 'continued_logs'] : [],
    };
  },
});

interface RunOptions {
  readonly kind: keyof typeof SHARED_STORES;
  readonly first: number;
  readonly schedules: number;
  readonly signsFirst: boolean;
  readonly log: (line: string) => void;
}

async function runAll({ kind, first, schedules, signsFirst, log }: RunOptions, tally: Tally): Promise<void> {
  const key = parseSigningKey(generateSigningKeyText('sentinel/fork'));
  for (let seed = first; seed < first + schedules; seed += 1) {
    const before = tally.inconsistent;
    await runSchedule({ seed, key, makeStore: SHARED_STORES[kind], signsFirst }, tally);
    const found = tally.inconsistent - before;
    if (found > 0) log(`${kind}, seed ${seed}: ${found} pairs of signed checkpoints contradict each other`);
    const done = seed + 1 - first;
    if (done % REPORT_EVERY === 0) log(`${kind}: ${done} schedules, ${JSON.stringify(tally)}`);
  }
}

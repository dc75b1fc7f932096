import { bench } from '@sentinel/bench-kit';
import { type KillOutcome, killAtRandom } from '../testing/kills.js';
import { ackBeforeSync, cutPower } from '../testing/power-cuts.js';
import { PowerLossDisk } from '../testing/power-loss-disk.js';
import { fillLog } from '../testing/prepared-log.js';
import { below, type Random, seededBy } from '../testing/random.js';
import { WriterProcess } from '../testing/writer-process.js';

const SIGN_BEFORE_SWAP = new URL('../testing/mutants/sign-before-swap.js', import.meta.url).href;
/** Kills that a mutant must be found out by. */
const MUTANT_KILLS = 12;
const BIG_LOG = 10_000_000;
const MOST_ACKS = 60;

/** Kills of one log; then a fresh one is begun. */
const KILLS_PER_LOG = 200;

const FULL = { kills: 1_000, powerCuts: 100 };
const QUICK = { kills: 10, powerCuts: 5 };

/**
 * What kill -9 and power cuts cost; the same for two writers that are wrong on purpose, which must be found out.
 * `--kills N` kills so often, `--seed N` chooses the moments.
 */
export default bench({
  name: 'ledger-crash',
  run: async ({ quick, args, log }) => {
    const { kills, powerCuts } = quick ? QUICK : FULL;
    const random = seededBy(args, log);
    const wanted = args.includes('--kills') ? Number(args[args.indexOf('--kills') + 1]) : kills;
    const { acked, lost, doubled, broken, slowestReadyMs } = await killLogs(wanted, random, log);
    const power_cut_lost = await lostToPowerCuts(powerCuts, random, () => new PowerLossDisk());
    const mutant_sign_before_swap = await foundOut(
      killAtRandom({ kills: MUTANT_KILLS, random, preload: SIGN_BEFORE_SWAP, log }),
      log,
    );
    const mutant_ack_before_sync = (await lostToPowerCuts(powerCuts, random, ackBeforeSync)) > 0 ? 1 : 0;
    const figures = {
      acked,
      lost,
      doubled,
      broken_promises: broken,
      ready_seconds: slowestReadyMs / 1000,
      power_cut_lost,
      mutant_sign_before_swap,
      mutant_ack_before_sync,
    };
    if (quick) return { figures, notRun: ['kills', 'power_cuts', 'ready_seconds_10m'] };
    const ready_seconds_10m = await readyAfterKill(log);
    return { figures: { ...figures, kills: wanted, power_cuts: powerCuts, ready_seconds_10m } };
  },
});

async function killLogs(kills: number, random: Random, log: (line: string) => void): Promise<KillOutcome> {
  let sum: KillOutcome = { acked: 0, lost: 0, doubled: 0, broken: 0, slowestReadyMs: 0 };
  for (let left = kills; left > 0; left -= KILLS_PER_LOG) {
    const next = await killAtRandom({ kills: Math.min(left, KILLS_PER_LOG), random, log });
    sum = {
      acked: sum.acked + next.acked,
      lost: sum.lost + next.lost,
      doubled: sum.doubled + next.doubled,
      broken: sum.broken + next.broken,
      slowestReadyMs: Math.max(sum.slowestReadyMs, next.slowestReadyMs),
    };
    log(`so far: ${JSON.stringify(sum)}`);
  }
  return sum;
}

/** 1 where the mutant lost or doubled something, or could not start again. */
async function foundOut(run: Promise<KillOutcome>, log: (line: string) => void): Promise<number> {
  try {
    const { lost, doubled, broken } = await run;
    return lost + doubled + broken > 0 ? 1 : 0;
  } catch (error) {
    log(`the mutant does not start again: ${error instanceof Error ? error.message.slice(-300) : String(error)}`);
    return 1;
  }
}

/** Acknowledged entries that are gone; a log that cannot be opened any more counts as one. */
async function lostToPowerCuts(cuts: number, random: Random, disk: () => PowerLossDisk): Promise<number> {
  let lost = 0;
  for (let cut = 0; cut < cuts; cut += 1) {
    lost += await cutPower(disk(), 1 + below(random, MOST_ACKS)).then(
      ({ acked, found }) => Math.max(0, acked - found),
      () => 1,
    );
  }
  return lost;
}

/** Seconds until a writer that was killed is ready again on a log of 10 million entries. */
async function readyAfterKill(log: (line: string) => void): Promise<number> {
  await using writer = new WriterProcess();
  await fillLog(writer, BIG_LOG);
  log(`a log of ${BIG_LOG} entries is made`);
  await writer.start();
  await writer.signal('SIGKILL');
  const started = performance.now();
  await writer.start();
  return (performance.now() - started) / 1000;
}

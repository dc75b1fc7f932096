import { setTimeout as delay } from 'node:timers/promises';
import { type BenchOutcome, bench } from '@sentinel/bench-kit';
import { auditTrail, detailOf } from '../harness/ledger-client.js';
import { Random } from '../harness/random.js';
import { Deployment, inWorker, type Replica } from './inference/deployment.js';
import { figuresOf } from './inference/figures.js';
import { type Named, namedBy, outcomeOf, type Told } from './inference/outcome.js';
import { answersOf, CANARIES, drawPrompt } from './inference/questions.js';
import { drawRounds, type Round } from './inference/rounds.js';
import { Users } from './inference/users.js';

const REPLICAS = 3;
const BLOCKS = 12;
const QUICK_BLOCKS = 1;
const SEED = 20261128;
/** Requests of users whose answers are looked at directly, beside the canaries. */
const LOOKED_AT = 16;
/** A round ends so long after the first entry of the ledger: others may still come. */
const GRACE_MS = 3_000;
/** Without one it ends after so long: all canaries were asked more than once, on a busy machine too. */
const SEEN_MS = 60_000;
/** Where no answer changed, or nothing was done, there is less to wait for. */
const QUIET_MS = 12_000;
const POLL_MS = 250;

/** Real vLLM servers behind the shipped sidecars, with library, engine and ledger: bits flipped in their memory, and rounds without. */
export default bench({
  name: 'inference-real',
  async run({ quick, folder, args, log }): Promise<BenchOutcome> {
    const seed = Number(args[0] ?? SEED);
    log(`seed ${seed}`);
    // Rounds are drawn apart from what users ask, of which nobody knows how often: a seed gives the same ones again.
    const random = new Random(seed + 1);
    const next = () => random.next();
    await using deployment = await Deployment.start(folder, REPLICAS, log);
    const { replicas } = deployment;
    const users = replicas.map(({ url, server }) => new Users({ url, direct: server.url }, next, log));
    await deployment.shown();
    log('all replicas were shown to repeat themselves');
    const prompts = [...CANARIES, ...Array.from({ length: LOOKED_AT }, () => drawPrompt(next))];
    const right = await answersOf(replicas[0]?.server.url ?? '', prompts);
    const weights = await inWorker<{ numbers: number; parameters: number; tokens: number }>(
      replicas[0] as Replica,
      'weights',
    );
    const told: Told[] = [];
    for (const round of drawRounds(quick ? QUICK_BLOCKS : BLOCKS, REPLICAS, weights, new Random(seed))) {
      const one = await play(deployment, round, { prompts, right });
      told.push(one);
      log(describe(told.length, one));
    }
    await Promise.all(users.map((each) => each.stop()));
    await sound(replicas, prompts, right);
    return {
      figures: figuresOf(
        told,
        weights,
        users.map(({ counts }) => counts),
      ),
    };
  },
});

interface Looked {
  readonly prompts: readonly string[];
  readonly right: readonly (string | null)[];
}

async function play(deployment: Deployment, round: Round, { prompts, right }: Looked): Promise<Told> {
  const replica = deployment.replicas[round.replica] as Replica;
  const place = 'at' in round ? await inWorker<number>(replica, 'find', round.at, round.copy) : 0;
  const [startUs, start] = [BigInt(Date.now()) * 1000n, performance.now()];
  if ('at' in round) await inWorker(replica, 'flip', place, round.bit);
  else if (round.harm === 'logit') await inWorker(replica, 'perturb', round.row, round.size);
  const answers = round.harm === 'sound' ? right : await answersOf(replica.server.url, prompts);
  const differs = answers.map((answer, k) => answer !== right[k]);
  const changed = {
    canary: differs.slice(0, CANARIES.length).some(Boolean),
    user: differs.slice(CANARIES.length).some(Boolean),
  };
  const named = new Map<string, Named>();
  const patience = changed.canary || changed.user ? SEEN_MS : QUIET_MS;
  for (let end = start + patience; performance.now() < end; await delay(POLL_MS)) {
    for (const entry of await auditTrail(deployment.stack, '', startUs)) {
      const seconds = (performance.now() - start) / 1000;
      const key = Buffer.from(entry.eventId).toString('hex');
      const one = namedBy(entry, seconds);
      if (one === null || named.has(key)) continue;
      if (named.size === 0 && round.harm !== 'sound') end = Math.min(end, performance.now() + GRACE_MS);
      named.set(key, one);
      if (process.env.BENCH_DETAIL) console.error(JSON.stringify(detailOf(entry)));
    }
  }
  if ('at' in round) await inWorker(replica, 'flip', place, round.bit);
  else if (round.harm === 'logit') await inWorker(replica, 'repair');
  await deployment.agreed(replica);
  if (process.env.BENCH_DETAIL)
    for (const r of deployment.replicas)
      for (const l of r.monitor.lines.filter((x) => Date.parse(x.time) * 1000 >= Number(startUs) - 5e6))
        console.error(r.gpu, JSON.stringify(l));
  const all = [...named.values()];
  return { round, changed, named: all, outcome: outcomeOf(round.harm === 'sound' ? null : replica.gpu, all) };
}

function describe(count: number, { round, changed, named, outcome }: Told): string {
  const what = Object.entries(round).map(([key, value]) => `${key} ${value}`);
  const which = changed.canary ? 'canaries changed' : changed.user ? 'answers to users changed' : 'no answer changed';
  const who = named.map(
    ({ gpu, detector, seconds }) => `${gpu || 'nobody'} by ${detector} after ${seconds.toFixed(1)} s`,
  );
  return `round ${count}: ${what.join(', ')}: ${which}: ${outcome} (${who.join('; ')})`;
}

/** @throws Error where harm was not undone, so that rounds have harmed each other */
async function sound(replicas: readonly Replica[], prompts: readonly string[], right: Looked['right']): Promise<void> {
  for (const { gpu, server } of replicas) {
    const answers = await answersOf(server.url, prompts);
    if (answers.some((answer, k) => answer !== right[k])) throw new Error(`${gpu} does not answer as it did at first`);
  }
}

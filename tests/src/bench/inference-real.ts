import { setTimeout as delay } from 'node:timers/promises';
import { type BenchOutcome, bench } from '@sentinel/bench-kit';
import { Random } from '../harness/random.js';
import { Deployment, inWorker, type Replica } from './inference/deployment.js';
import { Entries } from './inference/entries.js';
import { figuresOf, type Weights } from './inference/figures.js';
import { outcomeOf, type Told } from './inference/outcome.js';
import { answersOf, CANARIES, drawPrompt } from './inference/questions.js';
import { drawRounds, type Model, type Round } from './inference/rounds.js';
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
    try {
      await deployment.shown();
      log('all replicas were shown to repeat themselves');
      const prompts = [...CANARIES, ...Array.from({ length: LOOKED_AT }, () => drawPrompt(next))];
      const [first] = replicas as [Replica];
      const looked = { prompts, right: await answersOf(first.server.url, prompts) };
      await sound(replicas, looked);
      const model = await inWorker<Model & Weights>(first, 'weights');
      const told: Told[] = [];
      for (const round of drawRounds(quick ? QUICK_BLOCKS : BLOCKS, REPLICAS, model, new Random(seed))) {
        const one = await play(deployment, round, looked);
        told.push(one);
        log(describe(told.length, one));
        // What should not be is shown whole.
        if (!asItShouldBe(one)) for (const { detail } of one.named) log(JSON.stringify(detail));
      }
      await Promise.all(users.map((each) => each.stop()));
      await sound(replicas, looked);
      const asked = users.map(({ counts }) => counts);
      return { figures: figuresOf(told, model, asked) };
    } finally {
      await Promise.all(users.map((each) => each.stop()));
    }
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
  const told = new Entries(deployment, startUs, start);
  const patience = changed.canary || changed.user ? SEEN_MS : QUIET_MS;
  for (let end = start + patience; performance.now() < end; await delay(POLL_MS)) {
    const wasSilent = told.named.length === 0;
    await told.read();
    const isFirst = wasSilent && told.named.length > 0;
    if (isFirst && round.harm !== 'sound') end = Math.min(end, performance.now() + GRACE_MS);
  }
  if ('at' in round) await inWorker(replica, 'flip', place, round.bit);
  else if (round.harm === 'logit') await inWorker(replica, 'repair');
  await deployment.agreed(replica);
  // Nobody may be named while it recovers either.
  await told.read();
  const { named } = told;
  return { round, changed, named, outcome: outcomeOf(round.harm === 'sound' ? null : replica.gpu, named) };
}

function asItShouldBe({ round, changed, outcome }: Told): boolean {
  if (round.harm === 'sound') return outcome === 'nothing';
  return outcome === 'right' || (outcome === 'nothing' && !changed.canary);
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
async function sound(replicas: readonly Replica[], { prompts, right }: Looked): Promise<void> {
  for (const { gpu, server } of replicas) {
    const answers = await answersOf(server.url, prompts);
    if (answers.some((answer, k) => answer !== right[k]))
      throw new Error(`${gpu} does not answer as the first did at first`);
  }
}

import { type BenchOutcome, bench } from '@sentinel/bench-kit';
import { Random } from '../harness/random.js';
import { Deployment, type Replica } from './inference/deployment.js';
import { figuresOf, type Weights } from './inference/figures.js';
import type { Told } from './inference/outcome.js';
import { describe, play } from './inference/play.js';
import { answersOf, CANARIES, drawPrompt } from './inference/questions.js';
import { drawRounds, HARMS, type Model } from './inference/rounds.js';
import { Users } from './inference/users.js';
import { drawOpenAi, harmVllm, inWorker, vllmKind } from './inference/vllm.js';

const REPLICAS = 3;
const BLOCKS = 8;
const QUICK_BLOCKS = 1;
const SEED = 20261128;
/** Between two requests of the users of a replica. */
const PERIOD_MS = 500;
/** Requests of users whose answers are looked at directly, beside the canaries. */
const LOOKED_AT = 16;

/** Real vLLM servers behind the shipped sidecars, with library, engine and ledger: bits flipped in their memory, and rounds without. */
export default bench({
  name: 'inference-real',
  async run({ quick, folder, args, log }): Promise<BenchOutcome> {
    const seed = Number(args[0] ?? SEED);
    log(`seed ${seed}`);
    // Rounds are drawn apart from what users ask, of which nobody knows how often: a seed gives the same ones again.
    const random = new Random(seed + 1);
    const next = () => random.next();
    await using deployment = await Deployment.start(vllmKind(folder), REPLICAS, log);
    const { replicas } = deployment;
    await using stack = new AsyncDisposableStack();
    const users = replicas.map(({ url, server: { url: direct } }) =>
      stack.use(new Users({ url, direct, periodMs: PERIOD_MS }, () => drawOpenAi(next), log)),
    );
    await deployment.shown();
    log('all replicas were shown to repeat themselves');
    const prompts = [...CANARIES, ...Array.from({ length: LOOKED_AT }, () => drawPrompt(next))];
    const [first] = replicas as [Replica];
    const right = await answersOf(first.server.url, prompts);
    await sound(replicas, prompts, right);
    const model = await inWorker<Model & Weights>(first, 'weights');
    const told: Told[] = [];
    for (const round of drawRounds(quick ? QUICK_BLOCKS : BLOCKS, HARMS, REPLICAS, model, new Random(seed))) {
      const harming = await harmVllm(replicas[round.replica] as Replica, round, prompts, right);
      told.push(await play(deployment, round, harming));
      log(describe(told.length, told.at(-1) as Told));
    }
    await Promise.all(users.map((each) => each.stop()));
    await sound(replicas, prompts, right);
    const asked = users.map(({ counts }) => counts);
    return { figures: figuresOf(told, model, asked) };
  },
});

/** @throws Error where harm was not undone, so that rounds have harmed each other */
async function sound(
  replicas: readonly Replica[],
  prompts: readonly string[],
  right: readonly (string | null)[],
): Promise<void> {
  for (const { gpu, server } of replicas) {
    const answers = await answersOf(server.url, prompts);
    if (answers.some((answer, k) => answer !== right[k]))
      throw new Error(`${gpu} does not answer as the first did at first`);
  }
}

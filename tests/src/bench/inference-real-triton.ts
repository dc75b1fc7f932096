import { type BenchOutcome, bench } from '@sentinel/bench-kit';
import { Random } from '../harness/random.js';
import { Deployment, type Replica } from './inference/deployment.js';
import { commonFigures } from './inference/figures.js';
import type { Told } from './inference/outcome.js';
import { describe, play } from './inference/play.js';
import { drawRounds, type Harm } from './inference/rounds.js';
import { drawTensors, harmTriton, logitsOf, TRITON, TRITON_MODEL } from './inference/triton.js';
import { Users } from './inference/users.js';

const REPLICAS = 3;
const BLOCKS = 8;
const QUICK_BLOCKS = 1;
const SEED = 20261128;
/** Between two requests of the users of a replica. */
const PERIOD_MS = 100;
const HARMS: readonly Harm[] = ['exponent', 'high_mantissa', 'low_mantissa'];
/** Not in the order of the weights, of which the server would make a copy that looks like them. */
const TOKENS = Array.from({ length: TRITON_MODEL.tokens }, (_, token) => token).reverse();

/** Real Triton servers behind the shipped sidecars, with engine and ledger: bits flipped in the memory of a model, and rounds without. */
export default bench({
  name: 'inference-real-triton',
  async run({ quick, args, log }): Promise<BenchOutcome> {
    const seed = Number(args[0] ?? SEED);
    log(`seed ${seed}`);
    const random = new Random(seed + 1);
    await using deployment = await Deployment.start(TRITON, REPLICAS, log);
    const { replicas } = deployment;
    await using stack = new AsyncDisposableStack();
    const users = replicas.map(({ url, server: { url: direct } }) =>
      stack.use(new Users({ url, direct, periodMs: PERIOD_MS }, () => drawTensors(() => random.next()), log)),
    );
    await deployment.shown();
    const right = await logitsOf((replicas[0] as Replica).server.url, TOKENS);
    const told: Told[] = [];
    for (const round of drawRounds(quick ? QUICK_BLOCKS : BLOCKS, HARMS, REPLICAS, TRITON_MODEL, new Random(seed))) {
      const harming = await harmTriton(replicas[round.replica] as Replica, round, TOKENS, right);
      told.push(await play(deployment, round, harming));
      log(describe(told.length, told.at(-1) as Told));
    }
    await Promise.all(users.map((each) => each.stop()));
    for (const { gpu, server } of replicas)
      if ((await logitsOf(server.url, TOKENS)) !== right) throw new Error(`${gpu} does not answer as at first`);
    const asked = users.map(({ counts }) => counts);
    return { figures: commonFigures(told, asked, { name: 'changed', of: ({ changed }) => changed.user }) };
  },
});

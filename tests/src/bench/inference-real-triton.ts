import { type BenchOutcome, bench, median } from '@sentinel/bench-kit';
import { wilsonLower } from '@sentinel/monitor-kit/testing/intervals';
import { Random } from '../harness/random.js';
import { Deployment, type Replica } from './inference/deployment.js';
import type { Told } from './inference/outcome.js';
import { describe, play } from './inference/play.js';
import { drawRounds, type Harm } from './inference/rounds.js';
import { drawTensors, harmTriton, logitsOf, TRITON, TRITON_MODEL } from './inference/triton.js';
import { type Asked, Users } from './inference/users.js';

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
    return { figures: figuresOf(told, asked) };
  },
});

function figuresOf(told: readonly Told[], asked: readonly Asked[]): Record<string, number> {
  const sum = (of: (one: Asked) => number) => asked.reduce((total, one) => total + of(one), 0);
  const sound = told.filter(({ round }) => round.harm === 'sound');
  const harmed = told.filter(({ round }) => round.harm !== 'sound');
  const visible = harmed.filter(({ changed }) => changed.user);
  const right = visible.filter(({ outcome }) => outcome === 'right');
  const seconds = right.map(({ named }) => named[0]?.seconds ?? Number.NaN);
  return {
    harmed: harmed.length,
    wrong: harmed.filter(({ outcome }) => outcome === 'wrong').length,
    sound_rounds: sound.length,
    sound_events: sound.filter(({ outcome }) => outcome !== 'nothing').length,
    users_answered: sum(({ answered }) => answered),
    connections_lost: sum(({ connectionsLost }) => connectionsLost),
    users_failed_by_monitor: sum(({ failedByMonitor }) => failedByMonitor),
    users_failed_by_server: sum(({ failedByServer }) => failedByServer),
    changed: visible.length,
    changed_named_pct: (100 * right.length) / visible.length,
    changed_named_lower95_pct: 100 * wilsonLower(right.length, visible.length),
    seconds_p50: median(seconds),
    seconds_max: Math.max(...seconds),
  };
}

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bench } from '@sentinel/bench-kit';
import { wilsonLower } from '@sentinel/monitor-kit/testing/intervals';
import { Node } from './support/nodes.js';
import { type Fault, type Outcome, outcomeOf } from './support/outcomes.js';

const run = promisify(execFile);
const PYTHON = fileURLToPath(new URL('../../python/', import.meta.url));
const SET_UP = fileURLToPath(new URL('../../../monitor-kit/python/scripts/environment.py', import.meta.url));
/** With PyTorch fetched. */
const SET_UP_MS = 900_000;
const MEASURE_MS = 1_800_000;
const MAX_OUTPUT = 16 * 1024 * 1024;
const RANKS = [0, 1, 2, 3];
const FULL = { ddp: 200, hsdp: 100, healthy_ddp: 90, healthy_hsdp: 40 };
const QUICK = { ddp: 9, healthy_ddp: 3 };
/** Detectors run often, so that faults follow each other soon; at the defaults they are as sure, and later. */
const LIBRARY = {
  sampling_rate: 0.2,
  overhead_budget_pct: 100,
  cross_rank: { comparison_interval_steps: 5 },
  replay: { interval_steps: 10 },
};
/** Of two replicas of two shards each: ranks that hold the same shard. */
const SHARD_GROUPS: Readonly<Record<number, readonly number[]>> = { 0: [0, 2], 1: [1, 3], 2: [0, 2], 3: [1, 3] };

/** What python/bench/real.py prints, by phase. */
type Phases = Readonly<Record<string, { readonly steps: number; readonly faults: readonly Fault[] }>>;

/** Real jobs of PyTorch on four gloo ranks with the shipped analysers: flipped bits in their memory, and the same jobs without. */
export default bench({
  name: 'training-real',
  async run({ quick, folder, log }) {
    const { stdout: python } = await run('python3', [SET_UP, 'torch', 'sentinel_training'], {
      timeout: SET_UP_MS,
    });
    const seconds = quick ? QUICK : FULL;
    const nodes = RANKS.map((rank) => new Node(folder, rank));
    try {
      await Promise.all(nodes.map((node) => node.start(Object.keys(seconds), LIBRARY)));
      const phases = Object.entries(seconds).map(([name, length]) =>
        name.startsWith('healthy')
          ? `${name}:${name.replace('healthy_', '')}:${length}`
          : `${name}:${name}:${length}:faults`,
      );
      const { stdout, stderr } = await run(python.trim(), [`${PYTHON}bench/real.py`, folder, '--phases', ...phases], {
        env: { ...process.env, PYTHONPATH: `${PYTHON}src`, OMP_NUM_THREADS: '1' },
        timeout: MEASURE_MS,
        maxBuffer: MAX_OUTPUT,
      });
      if (stderr !== '') log(stderr.trim());
      const done = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Phases;
      const events = (await Promise.all(nodes.map((node) => node.events()))).flat();
      const of = (name: string) => events.filter(({ job }) => job?.id === name);
      const figures: Record<string, number> = {};
      for (const [kind, { steps, faults }] of Object.entries(done)) {
        if (kind.startsWith('healthy')) {
          const told = of(kind);
          for (const { source, detail } of told) log(`${kind}: ${source}: ${detail}`);
          figures[`${kind}_steps`] = steps;
          figures[`${kind}_events`] = told.length;
          continue;
        }
        const group = ({ rank }: Fault) => (kind === 'hsdp' ? (SHARD_GROUPS[rank] ?? []) : RANKS);
        const judged = faults
          .filter(({ masked }) => !masked)
          .map((fault) => ({ fault, outcome: outcomeOf(fault, of(kind), group(fault)) }));
        for (const { fault, outcome } of judged)
          if (outcome !== 'right') log(`${kind}: ${outcome}: ${JSON.stringify(fault)}`);
        Object.assign(figures, counts(kind, judged), { [`${kind}_masked`]: faults.length - judged.length });
      }
      return quick ? { figures, notRun: notRun() } : { figures };
    } finally {
      await Promise.all(nodes.map((node) => node.stop()));
    }
  },
});

function counts(kind: string, judged: readonly { fault: Fault; outcome: Outcome }[]): Record<string, number> {
  const figures: Record<string, number> = {};
  const wanted = (outcome: Outcome) => judged.filter((each) => each.outcome === outcome).length;
  for (const of of kind === 'ddp'
    ? (['weight', 'state', 'product', 'checkpoint'] as const)
    : (['weight', 'state', 'checkpoint'] as const)) {
    const ones = judged.filter(({ fault }) => fault.kind === of);
    figures[`${kind}_${of}_faults`] = ones.length;
    figures[`${kind}_${of}_right`] = ones.filter(({ outcome }) => outcome === 'right').length;
  }
  figures[`${kind}_faults`] = judged.length;
  figures[`${kind}_wrong`] = wanted('wrong');
  figures[`${kind}_missed`] = wanted('missed');
  figures[`${kind}_right_pct`] = (100 * wanted('right')) / judged.length;
  figures[`${kind}_right_lower95_pct`] = 100 * wilsonLower(wanted('right'), judged.length);
  return figures;
}

function notRun(): string[] {
  const hsdp = Object.keys(counts('hsdp', []));
  return [...hsdp, 'hsdp_masked', 'healthy_hsdp_steps', 'healthy_hsdp_events'];
}

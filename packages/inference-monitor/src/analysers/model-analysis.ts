import { SampleEwma } from '@sentinel/monitor-kit/charts/sample-ewma';
import { severityOf, shown } from '@sentinel/monitor-kit/severity';
import type { InferenceThresholds } from '@sentinel/service-kit/config';
import type { BlockMean } from './cohort-chart.js';
import { ofBlock, ofCohort, TOLD, type Told } from './drift-findings.js';
import { EntropyRange } from './entropy-range.js';
import type { Finding } from './finding.js';
import { Invariants } from './invariants.js';
import { withoutMasked } from './masks.js';
import { MAX_OUTPUTS, OutputRange } from './output-range.js';
import { type Sample, STATISTICS, statisticsOf } from './sample.js';
import { Spectral } from './spectral.js';
import { PARTS, type Part, type StatisticState, StatisticWatch } from './statistic-watch.js';
import { type WeightState, type Weights, WeightWatch } from './weights.js';

const MICROSECONDS = 1e6;

/** A block is closed so long after its end, seconds: answers that ended in it are still on their way. */
const GRACE_S = 2;

/** An answer that ended, and a look at the clock less its grace, are at most so far behind. */
const LATE_BLOCKS = 1;

/** Before the name of an output tensor, in the names of statistics. */
const OUTPUT = 'output ';

/** After the name of a statistic, where its distribution is meant. */
const DISTRIBUTION = ' distribution';

/** What a model has shown so far, as it is kept over a restart. */
export interface ModelState {
  /** Settings that the rest was learnt under: under others it means nothing. */
  readonly shape: string;
  readonly statistics: Readonly<Record<string, StatisticState>>;
  readonly weights: WeightState;
}

export interface BlockCounts {
  readonly judged: number;
  /** Had fewer requests than block_ewma.min_requests. */
  readonly small: number;
}

/** All analysers of one model of one replica. Plain data in, findings out: no clock, no randomness, no input or output. */
export class ModelAnalysis {
  #limits: InferenceThresholds;
  #statistics: Map<string, StatisticWatch>;
  #weights: WeightWatch;
  #single: SingleCharts;
  /** Number of the block that is open; null before the first request. */
  #block: number | null = null;
  #counts = { judged: 0, small: 0 };

  /** @param state is taken where its settings are the same */
  constructor(limits: InferenceThresholds, state?: ModelState) {
    this.#limits = limits;
    const known = state?.shape === shapeOf(limits) ? state.statistics : {};
    this.#statistics = new Map(STATISTICS.map((name) => [name, new StatisticWatch(limits, true, known[name])]));
    for (const [name, of] of Object.entries(known))
      if (name.startsWith(OUTPUT)) this.#statistics.set(name, new StatisticWatch(limits, false, of));
    this.#weights = new WeightWatch(state?.weights);
    this.#single = new SingleCharts(limits);
  }

  get state(): ModelState {
    const statistics = Object.fromEntries([...this.#statistics].map(([name, watch]) => [name, watch.state]));
    return { shape: shapeOf(this.#limits), statistics, weights: this.#weights.state };
  }

  get counts(): BlockCounts {
    return this.#counts;
  }

  /** Charts of single requests begin anew; blocks do so where other settings give others. */
  retune(limits: InferenceThresholds): void {
    const kept = new ModelAnalysis(limits, this.state);
    this.#limits = limits;
    this.#statistics = kept.#statistics;
    this.#single = kept.#single;
    this.#block = null;
  }

  take(request: Sample): Finding[] {
    const sample = { ...request, outputs: withoutMasked(request.outputs, this.#limits.output_range.mask_values) };
    const found = this.#advance(this.#blockOf(sample.timeUs));
    const numbers = statisticsOf(sample);
    for (const name of STATISTICS) this.#statistics.get(name)?.add(numbers[name]);
    for (const { name, mean } of sample.outputs) if (mean !== undefined) this.#output(name)?.add(mean);
    return [...found, ...this.#single.take(sample, numbers)];
  }

  weights(report: Weights): Finding[] {
    return this.#weights.take(report);
  }

  /** To be called every few seconds: blocks end without requests too. */
  tick(nowUs: number): Finding[] {
    return this.#block === null ? [] : this.#advance(this.#blockOf(nowUs - GRACE_S * MICROSECONDS));
  }

  /** What replicas can compare, such as "entropy", "entropy distribution" and "output logits". */
  get names(): string[] {
    return [...this.#statistics.keys()].flatMap((name) => [name, ...(TOLD[name] ? [`${name}${DISTRIBUTION}`] : [])]);
  }

  /** @returns null = not over, too small or forgotten */
  blockMean(name: string, block: number): BlockMean | null {
    const { watch, part } = this.#find(name);
    return watch?.blockMean(part, block) ?? null;
  }

  /** @param others what the other replicas had in the same block */
  compare(name: string, block: number, others: readonly BlockMean[]): Finding[] {
    const { watch, part, told } = this.#find(name);
    const drift = watch?.compare(part, block, others) ?? null;
    if (drift === null) return [];
    return ofCohort(told, part, drift, this.#limits, (block + 1) * this.#limits.block_ewma.block_s * MICROSECONDS);
  }

  #find(name: string): { watch: StatisticWatch | undefined; part: Part; told: Told } {
    const [mean, distribution] = PARTS;
    const part = name.endsWith(DISTRIBUTION) && !this.#statistics.has(name) ? distribution : mean;
    const base = part === 'mean' ? name : name.slice(0, -DISTRIBUTION.length);
    return { watch: this.#statistics.get(base), part, told: toldOf(base) };
  }

  #blockOf(timeUs: number): number {
    return Math.floor(timeUs / MICROSECONDS / this.#limits.block_ewma.block_s);
  }

  #output(name: string): StatisticWatch | undefined {
    const key = `${OUTPUT}${name}`;
    const known = this.#statistics.get(key);
    if (known !== undefined || this.#statistics.size >= STATISTICS.length + MAX_OUTPUTS) return known;
    const watch = new StatisticWatch(this.#limits, false);
    this.#statistics.set(key, watch);
    return watch;
  }

  /** What ends late belongs to the block that is open; one that is far before it: the clock was set back, and blocks begin from there. */
  #advance(block: number): Finding[] {
    const open = this.#block ?? block;
    this.#block = block < open - LATE_BLOCKS ? block : Math.max(open, block);
    if (block <= open) return [];
    const timeUs = (open + 1) * this.#limits.block_ewma.block_s * MICROSECONDS;
    return [...this.#statistics].flatMap(([name, watch]) => {
      const verdict = watch.close(open);
      if (verdict === null) return [];
      this.#counts[verdict.judged ? 'judged' : 'small'] += 1;
      if (!verdict.judged) return [];
      const collapsed = name === 'entropy' ? this.#single.range.take(verdict, timeUs) : [];
      return [...ofBlock(toldOf(name), verdict, this.#limits, timeUs), ...collapsed];
    });
  }
}

/** What judges requests one by one, or needs no more of its past than a window. */
class SingleCharts {
  readonly range: EntropyRange;
  readonly #limits: InferenceThresholds;
  readonly #invariants: Invariants;
  readonly #outputs: OutputRange;
  readonly #spectral: Spectral;
  readonly #logits: SampleEwma;

  constructor(limits: InferenceThresholds) {
    const { alpha, warmup_samples: warmup, sigma_threshold: sigma, max_drift: drift } = limits.logit_ewma;
    this.#limits = limits;
    this.range = new EntropyRange(limits.entropy);
    this.#invariants = new Invariants(limits.invariants);
    this.#outputs = new OutputRange(limits);
    this.#spectral = new Spectral(limits);
    this.#logits = new SampleEwma({ alpha, warmup, sigma, drift });
  }

  take(sample: Sample, numbers: ReturnType<typeof statisticsOf>): Finding[] {
    const { timeUs } = sample;
    return [
      ...this.#invariants.take(sample),
      ...this.#outputs.take(sample),
      ...this.#spectral.take(numbers.entropy, timeUs),
      ...this.#drift(numbers.max_logit, timeUs),
    ];
  }

  #drift(logit: number, timeUs: number): Finding[] {
    const drift = Number.isFinite(logit) ? this.#logits.push(logit) : null;
    if (drift?.first !== true) return [];
    const { severity, sigma_threshold: limit } = this.#limits.logit_ewma;
    const grave = severityOf(Math.abs(drift.drift), severity).toLowerCase();
    const detail = `The largest logit of single requests drifts by ${shown(100 * drift.drift)} % (${grave}); advisory`;
    const known = { type: 'LOGIT_DRIFT', detector: 'logit-ewma', severity: 'INFO', workers: 'all' } as const;
    return [{ ...known, timeUs, value: drift.deviation, limit, detail }];
  }
}

function toldOf(name: string): Told {
  return TOLD[name] ?? { type: 'LOGIT_DRIFT', detector: 'output-drift', name: `value of ${name}`, ofTraffic: false };
}

/** Settings without which what was learnt means nothing. */
function shapeOf({ block_ewma, kl_divergence: kl }: InferenceThresholds): string {
  const { block_s, min_requests, m } = block_ewma;
  const { num_bins, max_bins, binning_strategy, symmetric, min_reference_samples } = kl;
  return JSON.stringify([
    block_s,
    min_requests,
    m,
    num_bins,
    max_bins,
    binning_strategy,
    symmetric,
    min_reference_samples,
  ]);
}

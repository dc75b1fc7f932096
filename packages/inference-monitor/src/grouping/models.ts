import type { InferenceThresholds } from '@sentinel/service-kit/config';
import type { BlockMean } from '../analysers/cohort-chart.js';
import type { Finding } from '../analysers/finding.js';
import { type BlockCounts, ModelAnalysis, type ModelState } from '../analysers/model-analysis.js';
import type { Sample } from '../analysers/sample.js';
import type { Weights } from '../analysers/weights.js';
import type { Server } from './server.js';

/** Models that are analysed at once; the one that was used longest ago makes room. */
export const MAX_MODELS = 64;

/** Seconds; longer than the analyses wait for late answers. */
const BLOCK_GRACE_S = 10;

const MICROSECONDS = 1e6;

/** Between a statistic and whose it is, in the names that replicas exchange. */
const OF = ' of ';

/** What has to be equal for numbers of requests to be comparable. */
export interface ModelKey {
  /** As its server says; one monitor may serve several. */
  readonly replica: string;
  readonly model: string;
  readonly configHash: string;
  /** The front of a sidecar sees other numbers than a library in the server. */
  readonly framework: string;
}

export interface ModelsParts {
  readonly limits: InferenceThresholds;
  /** What was learnt before a restart; undefined = nothing. */
  readonly restore: (key: ModelKey) => ModelState | undefined;
  readonly onFinding: (server: Server, finding: Finding) => void;
}

interface Entry {
  readonly key: ModelKey;
  readonly analysis: ModelAnalysis;
  /** Who told of it last. */
  server: Server;
  /** It learnt something that was not asked for yet. */
  changed: boolean;
  blocks: number;
}

/** Every model of the inference server beside this monitor, and what is known of it. */
export class Models {
  readonly #parts: ModelsParts;
  /** Used last comes last. */
  readonly #entries = new Map<string, Entry>();
  #limits: InferenceThresholds;
  #ended: BlockCounts = { judged: 0, small: 0 };

  constructor(parts: ModelsParts) {
    this.#parts = parts;
    this.#limits = parts.limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Blocks since the start. */
  get counts(): BlockCounts {
    return [...this.#entries.values()].map(({ analysis }) => analysis.counts).reduce(add, this.#ended);
  }

  retune(limits: InferenceThresholds): void {
    this.#limits = limits;
    for (const { analysis } of this.#entries.values()) analysis.retune(limits);
  }

  take(server: Server, sample: Sample): void {
    const entry = this.#entry(server, sample.model || server.model);
    this.#tell(entry, entry.analysis.take(sample));
  }

  weights(server: Server, weights: Weights): void {
    const entry = this.#entry(server, server.model);
    entry.changed = true;
    this.#tell(entry, entry.analysis.weights(weights));
  }

  /** To be called every few seconds. */
  tick(nowUs: number): void {
    for (const entry of this.#entries.values()) this.#tell(entry, entry.analysis.tick(nowUs));
  }

  /** Number of the newest block that is over everywhere. Blocks are counted from the Unix epoch. */
  newestBlock(nowUs: number): number {
    const { block_s } = this.#limits.block_ewma;
    return Math.floor((nowUs / MICROSECONDS - BLOCK_GRACE_S) / block_s) - 1;
  }

  /** What replicas can compare, such as "entropy of llama, vllm 0.32.0". */
  get statistics(): string[] {
    return [...this.#entries.values()].flatMap(({ key, analysis }) => analysis.names.map((name) => nameOf(name, key)));
  }

  /** @returns null = not known here, not over, too small, or forgotten */
  blockMean(statistic: string, block: number): BlockMean | null {
    const found = this.#find(statistic);
    return found === null ? null : found.entry.analysis.blockMean(found.name, block);
  }

  /** Charts a block against what other replicas had in it. @param means of the others, in any order */
  setCohortMeans(statistic: string, block: number, means: readonly BlockMean[]): void {
    const found = this.#find(statistic);
    if (found === null || means.length === 0) return;
    found.entry.changed = true;
    this.#tell(found.entry, found.entry.analysis.compare(found.name, block, means));
  }

  /** What was learnt since this was asked last. */
  changes(): { readonly key: ModelKey; readonly state: ModelState }[] {
    const changed = [...this.#entries.values()].filter((entry) => entry.changed);
    return changed.map((entry) => {
      entry.changed = false;
      return { key: entry.key, state: entry.analysis.state };
    });
  }

  #entry(server: Server, model: string): Entry {
    const { replica, configHash, framework } = server;
    const key = { replica, model, configHash, framework };
    const name = JSON.stringify(key);
    const known = this.#entries.get(name);
    const entry = known ?? this.#begin(server, key);
    entry.server = server.model === model ? server : { ...server, model };
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    return entry;
  }

  #begin(server: Server, key: ModelKey): Entry {
    const [oldest] = this.#entries;
    if (this.#entries.size >= MAX_MODELS && oldest !== undefined) {
      this.#ended = add(this.#ended, oldest[1].analysis.counts);
      this.#entries.delete(oldest[0]);
    }
    const analysis = new ModelAnalysis(this.#limits, this.#parts.restore(key));
    return { key, analysis, server, changed: false, blocks: 0 };
  }

  /** Of several with one name the one that was used last. */
  #find(statistic: string): { entry: Entry; name: string } | null {
    for (const entry of [...this.#entries.values()].reverse()) {
      const ending = nameOf('', entry.key);
      if (statistic.endsWith(ending)) return { entry, name: statistic.slice(0, -ending.length) };
    }
    return null;
  }

  #tell(entry: Entry, findings: readonly Finding[]): void {
    const { judged, small } = entry.analysis.counts;
    if (judged + small !== entry.blocks) {
      entry.blocks = judged + small;
      entry.changed = true;
    }
    for (const finding of findings) this.#parts.onFinding(entry.server, finding);
  }
}

function nameOf(statistic: string, { model, framework }: ModelKey): string {
  return `${statistic}${OF}${model}, ${framework}`;
}

function add(a: BlockCounts, b: BlockCounts): BlockCounts {
  return { judged: a.judged + b.judged, small: a.small + b.small };
}

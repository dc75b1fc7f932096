import type { UpstreamHttp } from './http.js';
import { fieldsOf, listOf } from './json.js';
import { statisticsPath } from './kserve.js';

/** Versions of models that are followed; the oldest gives way. */
const MAX_FOLLOWED = 64;

/** Notices that a version of a model was loaded anew: Triton counts its answers from nought then (its statistics extension). */
export class ModelLoads {
  readonly #http: Pick<UpstreamHttp, 'look'>;
  /** Answers that were counted last, by path. */
  readonly #counted = new Map<string, number>();

  constructor(http: Pick<UpstreamHttp, 'look'>) {
    this.#http = http;
  }

  /**
   * @param inferPath of a version of a model
   * @returns false also where the server does not count. @throws SentinelError where it does not answer
   */
  async isReloaded(inferPath: string): Promise<boolean> {
    const path = statisticsPath(inferPath);
    if (path === null) return false;
    const count = countOf(await this.#http.look(path));
    if (count === null) return false;
    const before = this.#counted.get(path) ?? 0;
    this.#counted.delete(path);
    const [oldest] = this.#counted.keys();
    if (this.#counted.size >= MAX_FOLLOWED && oldest !== undefined) this.#counted.delete(oldest);
    this.#counted.set(path, count);
    return count < before;
  }
}

function countOf(answer: unknown): number | null {
  const [stats] = listOf(fieldsOf(answer)['model_stats']).map(fieldsOf);
  const count = Number(stats?.['inference_count']);
  return Number.isFinite(count) ? count : null;
}

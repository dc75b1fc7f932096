/** Prometheus as the checks ask it. */
export interface Target {
  readonly health: 'up' | 'down' | 'unknown';
  readonly lastError: string;
  readonly scrapeUrl: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface LoadedRule {
  readonly name: string;
  readonly health: 'ok' | 'err' | 'unknown';
  readonly lastError?: string;
}

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  /** Seconds since the Unix epoch, and the value as text. */
  readonly value: readonly [number, string];
}

export class PrometheusClient {
  readonly #base: string;

  /** @param base as http://127.0.0.1:9092 */
  constructor(base: string) {
    this.#base = base.replace(/\/$/, '');
  }

  async targets(): Promise<readonly Target[]> {
    return (await this.#get<{ activeTargets: Target[] }>('targets')).activeTargets;
  }

  async rules(): Promise<readonly LoadedRule[]> {
    const { groups } = await this.#get<{ groups: { rules: LoadedRule[] }[] }>('rules');
    return groups.flatMap(({ rules }) => rules);
  }

  /** @throws Error with Prometheus' reason where it cannot be evaluated */
  async query(expr: string): Promise<readonly Series[]> {
    const { resultType, result } = await this.#get<{ resultType: string; result: readonly Series[] }>(
      `query?query=${encodeURIComponent(expr)}`,
    );
    if (resultType !== 'vector') throw new Error(`${expr} is no vector but a ${resultType}`);
    return result;
  }

  async #get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.#base}/api/v1/${path}`);
    const answer = (await response.json()) as { status: string; error?: string; data: T };
    if (answer.status !== 'success') throw new Error(answer.error ?? `status ${response.status}`);
    return answer.data;
  }
}

/** A target of Prometheus. */
export interface Target {
  readonly job: string;
  readonly instance: string;
  readonly up: boolean;
}

interface Answer {
  readonly data: {
    readonly result: readonly {
      readonly metric: { job: string; instance: string };
      readonly value: [number, string];
    }[];
  };
}

/** What Prometheus says of each of its targets. @param at seconds since 1970; by default now */
export async function targets(prometheus: string, at = Date.now() / 1000): Promise<Target[]> {
  const response = await fetch(`http://${prometheus}/api/v1/query?query=up&time=${at}`);
  const { data } = (await response.json()) as Answer;
  return data.result.map(({ metric: { job, instance }, value }) => ({ job, instance, up: value[1] === '1' }));
}

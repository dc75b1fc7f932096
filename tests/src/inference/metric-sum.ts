import { scrape } from '../harness/metrics.js';
import type { Service } from '../harness/service.js';

/** Over all series that have these labels; 0 = there is none. */
export async function sumOf(
  monitor: Service,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const samples = await scrape((await monitor.ready()).metrics ?? '');
  return samples
    .filter((sample) => sample.name === name)
    .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0);
}

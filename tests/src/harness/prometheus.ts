import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RULES_FOLDER } from '@sentinel/monitoring';
import { freePort, startProcess, type TestProcess } from '@sentinel/test-kit';

/** Often enough that a test need not wait. */
const INTERVAL = '1s';

export interface TestPrometheus extends AsyncDisposable {
  /** http://host:port */
  readonly base: string;
}

/** A real Prometheus with the rules that we ship. @param targets host:port of the metrics, by job */
export async function startPrometheus(
  folder: string,
  targets: Readonly<Record<string, readonly string[]>>,
): Promise<TestPrometheus> {
  mkdirSync(folder, { recursive: true });
  const config = join(folder, 'prometheus.yml');
  // JSON is YAML.
  writeFileSync(
    config,
    JSON.stringify({
      global: { scrape_interval: INTERVAL, evaluation_interval: INTERVAL },
      rule_files: [join(RULES_FOLDER, '*.rules.yaml')],
      scrape_configs: Object.entries(targets).map(([job, addresses]) => ({
        job_name: job,
        static_configs: [{ targets: addresses }],
      })),
    }),
  );
  return await runPrometheus(config, join(folder, 'data'));
}

/** The same with any configuration. @param data folder of what it scrapes */
export async function runPrometheus(config: string, data: string): Promise<TestPrometheus> {
  const address = `127.0.0.1:${await freePort()}`;
  const running: TestProcess = await startProcess({
    command: [
      'prometheus',
      `--config.file=${config}`,
      `--storage.tsdb.path=${data}`,
      `--web.listen-address=${address}`,
    ],
    ready: { output: /ready to receive web requests/ },
  });
  return { base: `http://${address}`, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}

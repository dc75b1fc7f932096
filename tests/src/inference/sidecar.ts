/** The sidecar as operators start it, in front of a server of a test. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, startProcess, type TestProcess, temporaryFolder } from '@sentinel/test-kit';
import { BIN, ROOT } from '../harness/paths.js';

const THRESHOLDS = join(ROOT, 'config/thresholds/inference_thresholds.yaml');
/** On a busy machine. */
const REACHES_MS = 60_000;
const SERVICE_TOKEN = 'service token of the tests, 32 characters';

interface Ready {
  readonly http: string;
  readonly metrics: string;
}

export interface Sidecar extends AsyncDisposable {
  readonly process: TestProcess;
  /** Where requests pass, without a slash at its end. */
  readonly url: string;
  /** A number of its metrics page, of all labels together; 0 where it has no such series. */
  metric(name: string): Promise<number>;
  /** Waits until a metric has grown so far. */
  reaches(name: string, value: number): Promise<void>;
}

/** @param config keys of `inference_monitor` besides those that every test needs */
export async function startSidecar(config: Record<string, unknown>): Promise<Sidecar> {
  const folder = await temporaryFolder();
  const base = {
    listen_address: '127.0.0.1:0',
    thresholds_file: THRESHOLDS,
    socket_path: folder.join('s.sock'),
    data_dir: folder.join('data'),
    node_name: 'node-1',
    tls: { enabled: false },
    metrics: { listen_address: '127.0.0.1:0' },
    service_token: SERVICE_TOKEN,
    sampling_rate: 1,
  };
  const file = folder.join('sentinel.yaml');
  writeFileSync(file, JSON.stringify({ inference_monitor: { ...base, ...config } }), { mode: 0o600 });
  const ready = folder.join('ready');
  const command = [process.execPath, BIN.inferenceMonitor, '--config', file, '--ready-file', ready] as const;
  const running = await startProcess({ command: [...command], ready: { file: ready } });
  const { http, metrics } = running.ready as Ready;
  const metric = async (name: string): Promise<number> => {
    const page = await (await fetch(`http://${metrics}/metrics`)).text();
    const series = page.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    return series.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  };
  return {
    process: running,
    url: `http://${http}`,
    metric,
    reaches: async (name, value) => {
      await eventually(async () => (await metric(name)) >= value, {
        what: `${name} reaches ${value}`,
        timeoutMs: REACHES_MS,
      });
    },
    async [Symbol.asyncDispose]() {
      // As Ctrl-C: the front ends too.
      await running.kill('SIGINT');
      await folder[Symbol.asyncDispose]();
    },
  };
}

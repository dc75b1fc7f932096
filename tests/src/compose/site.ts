import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import { ExplainDecisionResponse } from '@sentinel/contracts/sentinel/v1/health.js';
import { CLI, type Outcome, runNode } from '../harness/cli.js';
import { until } from '../harness/until.js';

const QUARANTINE_MS = 180_000;
const LOOK_MS = 1_000;

/** Where the services of an installation answer, each HOST:PORT. */
export interface Site {
  readonly engine: { readonly grpc: string; readonly http: string; readonly metrics: string };
  readonly ledger: { readonly grpc: string; readonly http: string; readonly metrics: string };
  readonly prometheus: string;
}

/** `sentinel …` about an installation. @param folder where it remembers the ledger's key */
export function sentinelAt(site: Site, folder: string, ...args: string[]): Promise<Outcome> {
  const { engine, ledger } = site;
  const where = ['--engine', engine.grpc, '--engine-http', engine.http, '--ledger', ledger.grpc];
  return runNode(CLI, [...args, ...where, '--ledger-http', ledger.http, '--data', folder]);
}

/** The same with `--output json`, parsed. @throws Error with what it wrote when it fails */
export async function sentinelJsonAt<T>(site: Site, folder: string, ...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await sentinelAt(site, folder, ...args, '--output', 'json');
  if (code !== 0) throw new Error(`sentinel ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`);
  return JSON.parse(stdout) as T;
}

interface Listed {
  readonly gpus: readonly { readonly gpu: string; readonly node: string; readonly state: string }[];
}

/** Waits until the device of a node is out of service, or further. @returns why */
export async function quarantined(site: Site, folder: string, node: string): Promise<ExplainDecisionResponse> {
  const { gpu } = await until(
    `the device of ${node} is QUARANTINED`,
    QUARANTINE_MS,
    async () => {
      const { gpus } = await sentinelJsonAt<Listed>(site, folder, 'gpus', 'list');
      return gpus.find((each) => each.node === node && /QUARANTINED|DEEP_TEST/.test(each.state));
    },
    LOOK_MS,
  );
  return ExplainDecisionResponse.fromJSON(await sentinelJsonAt(site, folder, 'gpus', 'explain', gpu));
}

/** Moment of the first change to QUARANTINED, microseconds since 1970; 0 = there was none. */
export function quarantinedAt(explained: ExplainDecisionResponse): number {
  return Number(explained.transitions.find(({ to }) => to === GpuState.QUARANTINED)?.timeUs ?? 0n);
}

import type { DataFolder } from './data-folder.js';
import type { Flags } from './flags.js';
import type { Installation } from './installation.js';

/** What is said once everything serves: where things are, and what to try. */
export function welcome(
  installation: Pick<Installation, 'endpoints' | 'metrics'>,
  pgFolder: string,
  folder: Pick<DataFolder, 'root' | 'pg'>,
  seconds: number,
  flags: Pick<Flags, 'data' | 'inject'>,
): string[] {
  const { engine, ledger } = installation.endpoints;
  const { metrics } = installation;
  const data = flags.data === undefined ? '' : ` --data ${folder.root}`;
  const linked = pgFolder === folder.pg ? '' : ` (PostgreSQL's in ${pgFolder}, where its user can reach it)`;
  return [
    '',
    `SENTINEL runs, ready after ${seconds.toFixed(1)} s. It tests the CPUs of this machine.`,
    ...(flags.inject === undefined
      ? []
      : [`Faults are INJECTED (${flags.inject}): everything made from them is marked.`]),
    '',
    `  engine  gRPC ${engine.grpc}   http://${engine.http}/health   http://${metrics.engine}/metrics`,
    `  ledger  gRPC ${ledger.grpc}   http://${ledger.http}/checkpoint   http://${metrics.ledger}/metrics`,
    `  agent   http://${metrics.agent}/metrics`,
    `  data    ${folder.root}${linked}`,
    '',
    `  npx sentinel status${data}          npx sentinel gpus list${data}`,
    `  npx sentinel gpus explain ID${data}    npx sentinel audit verify${data}`,
    '',
    'Ctrl-C stops everything.',
    '',
  ];
}

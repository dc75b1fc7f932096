import { realpathSync } from 'node:fs';
import { hang, table } from '@sentinel/cli/views';
import type { DataFolder } from './data-folder.js';
import type { Flags } from './flags.js';
import type { Installation } from './installation.js';

/** Where people find things. */
export interface Places {
  readonly endpoints: Installation['endpoints'];
  readonly metrics: Installation['metrics'];
  readonly data: string;
  /** Where PostgreSQL's data lies, when that is outside of `data`. */
  readonly pgElsewhere: string | null;
  /** `--data DIR` as the command line needs it; '' = the clone's own folder. */
  readonly dataFlag: string;
  readonly inject: string | undefined;
}

export function places(installation: Installation, folder: DataFolder, flags: Pick<Flags, 'data' | 'inject'>): Places {
  const { endpoints, metrics } = installation;
  const pg = realFolder(folder.pg);
  return {
    endpoints,
    metrics,
    data: folder.root,
    pgElsewhere: pg === folder.pg || pg.startsWith(`${realFolder(folder.root)}/`) ? null : pg,
    dataFlag: flags.data === undefined ? '' : ` --data ${shellWord(folder.root)}`,
    inject: flags.inject,
  };
}

/** What is said once everything serves: where things are, and what to try. @param seconds from the start of the services */
export function welcome(places: Places, seconds: number): string[] {
  const { data, pgElsewhere, dataFlag, inject } = places;
  return [
    '',
    `SENTINEL runs, ready after ${seconds.toFixed(1)} s. It tests the GPUs of this machine, or its CPUs where it finds none.`,
    ...(inject === undefined ? [] : hang('', `Faults are INJECTED (${inject}): everything made from them is marked.`)),
    '',
    ...serviceTable(places),
    '',
    `  data  ${data}`,
    ...(pgElsewhere === null ? [] : [`        PostgreSQL's is in ${pgElsewhere}, where its user can reach it`]),
    `  logs  ${data}/log`,
    '',
    ...COMMANDS.map(([command, what]) => `  npx sentinel ${command.padEnd(COMMAND_WIDTH)}  ${what}`),
    ...(dataFlag === '' ? [] : [`  each with${dataFlag}`]),
    '',
    'Ctrl-C stops everything.',
  ];
}

const COMMANDS = [
  ['status', 'how everything is'],
  ['gpus explain ID', 'why a device is in its state'],
  ['audit verify', 'that the signed record is whole'],
] as const;
const COMMAND_WIDTH = 15;

function serviceTable({ endpoints: { engine, ledger }, metrics }: Places): string[] {
  const text = table(
    [{ title: '' }, { title: 'GRPC' }, { title: 'HTTP' }, { title: 'METRICS' }],
    [
      ['  engine', engine.grpc, engine.http, metrics.engine],
      ['  ledger', ledger.grpc, ledger.http, metrics.ledger],
      ['  agent', '', '', metrics.agent],
    ],
  );
  return text.split('\n');
}

function realFolder(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}

function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

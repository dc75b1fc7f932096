import type { CommandSpecs, FlagSpecs, LoadedConfig, Streams } from '@sentinel/service-kit/config';
import { EXIT, exitStatus, SentinelError } from '@sentinel/service-kit/errors';
import { silentLogger } from '@sentinel/service-kit/logging';
import { databaseOptions } from '../settings.js';
import { Database } from '../store/connect.js';
import { assertDatabaseExists } from '../store/embedded/exists.js';
import { historyLog } from '../store/history/open.js';
import { hasEveryStep } from '../store/migrate.js';
import { replay } from './replay.js';
import type { Disagreement, ReplayReport } from './report.js';

export const FLAGS = {
  until: { type: 'integer', value: 'N', min: 1, help: 'replay: stops after record N of the log [the newest]' },
  'from-start': {
    type: 'boolean',
    help: 'replay: from the first record on, also what an earlier release decided [from the newest upgrade on]',
  },
  output: { type: 'string', choices: ['text', 'json'], help: 'replay: how the result is printed [text]' },
} as const satisfies FlagSpecs;

export const COMMANDS = {
  replay:
    'decides everything again from the record log and compares; an engine may run meanwhile: 0 the same, 1 a difference, 69 the log cannot be read',
} as const satisfies CommandSpecs;

/** A replay asks the stores alone: neither keys of agents, tokens nor certificates are read. */
export const NEEDS = { replay: ['database', 'history', 'scylla'] } as const;

export type EngineProgram = LoadedConfig<'correlation_engine', typeof FLAGS>;

const PROGRESS_MS = 500;

/** @returns the exit status */
export async function runReplay(program: EngineProgram, streams: Streams): Promise<number> {
  try {
    const started = performance.now();
    const report = await replayConfigured(program, streams);
    const seconds = (performance.now() - started) / 1000;
    streams.stdout.write(program.flags.output === 'json' ? asJson(report, seconds) : asText(report, seconds));
    return report.disagreement === null ? 0 : 1;
  } catch (thrown) {
    const error = SentinelError.from(thrown);
    streams.stderr.write(`${error.sentence}\n`);
    // 1 says that the log was replayed and differs: what could not be read is never that.
    return exitStatus(error) === EXIT.negative ? EXIT.unavailable : exitStatus(error);
  }
}

async function replayConfigured({ config, flags }: EngineProgram, streams: Streams): Promise<ReplayReport> {
  assertDatabaseExists(config.database.postgres_url);
  const database = new Database(databaseOptions(config), silentLogger());
  const startedServer = await database.ensureRunning();
  const db = database.pool(() => {});
  const history = historyLog(config);
  try {
    if (!(await hasEveryStep(db))) throw olderSchema();
    return await replay({
      db,
      history,
      until: flags.until,
      fromStart: flags['from-start'],
      progress: progressOn(streams),
    });
  } catch (error) {
    throw database.explain(error);
  } finally {
    await history.close();
    await db.destroy();
    if (startedServer) await database.stop();
  }
}

/** A line that is written over, on a terminal alone. */
function progressOn(streams: Streams): (done: number, of: number) => void {
  if (!('isTTY' in streams.stderr) || streams.stderr.isTTY !== true) return () => {};
  let last = 0;
  return (done, of) => {
    const now = performance.now();
    if (done < of && now - last < PROGRESS_MS) return;
    last = now;
    streams.stderr.write(`\r${done} of ${of} records${done === of ? '\n' : ''}`);
  };
}

function asJson(report: ReplayReport, seconds: number): string {
  return `${JSON.stringify({ ...report, seconds: Number(seconds.toFixed(3)) })}\n`;
}

function asText(report: ReplayReport, seconds: number): string {
  const { records, digest, disagreement } = report;
  const rate = Math.round(records / Math.max(seconds, 1e-3));
  const lines = [
    `${records} records replayed in ${seconds.toFixed(1)} s (${rate}/s).`,
    ...(disagreement === null ? sameLines(report) : differentLines(report, disagreement)),
    ...report.notCompared.map((sentence) => `Not compared: ${sentence}.`),
  ];
  return `${[...lines, `Decisions ${digest}`].join('\n')}\n`;
}

function sameLines({ compared }: ReplayReport): string[] {
  const counted = Object.entries(compared).map(([kind, count]) => `${count} ${kind}`);
  return [`The same, byte for byte: ${counted.join(', ')}.`];
}

function differentLines({ decidedByEarlierRelease }: ReplayReport, disagreement: Disagreement): string[] {
  return [
    `Different: ${disagreement.what}, at ${disagreement.path}`,
    `  stored    ${shown(disagreement.stored)}`,
    `  replayed  ${shown(disagreement.replayed)}`,
    decidedByEarlierRelease
      ? 'An earlier release decided this: its rules or words were others, or a row was changed. What comes after cannot be judged.'
      : 'Either a row was changed behind the engine, or another version of the engine decided.',
  ];
}

/** Characters of a value that a person reads; `--output json` has all of it. */
const MAX_SHOWN = 400;

function shown(value: string): string {
  return value.length <= MAX_SHOWN ? value : `${value.slice(0, MAX_SHOWN)}… (${value.length} characters)`;
}

function olderSchema(): SentinelError {
  return new SentinelError({
    code: 'FAILED_PRECONDITION',
    message: 'the database has no log, or its schema is older than this version',
    field: 'correlation_engine.database.postgres_url',
    hint: 'Start this version of the engine on it once: it brings the schema up to date.',
  });
}

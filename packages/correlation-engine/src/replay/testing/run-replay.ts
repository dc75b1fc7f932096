import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { silentLogger } from '@sentinel/service-kit/logging';
import type { Kysely } from 'kysely';
import { Database } from '../../store/connect.js';
import type { Tables } from '../../store/schema.js';
import { HistoryTail } from '../history-tail.js';
import { type ReplayOptions, replay } from '../replay.js';
import type { ReplayReport } from '../report.js';

const MAIN = fileURLToPath(new URL('../../main.js', import.meta.url));

export interface Outcome {
  code: number;
  report: ReplayReport | null;
  text: string;
}

/** The program itself, with the configuration of the engine of this folder. */
export async function runReplay(folder: string, ...flags: string[]): Promise<Outcome> {
  const argv = [MAIN, 'replay', '--config', join(folder, 'sentinel.yaml'), '--output', 'json', ...flags];
  const { code, stdout, stderr } = await promisify(execFile)(process.execPath, argv).then(
    (done) => ({ code: 0, ...done }),
    (failed: { code: number; stdout: string; stderr: string }) => failed,
  );
  return { code, report: stdout === '' ? null : (JSON.parse(stdout) as ReplayReport), text: stderr };
}

/** Work on the embedded database of a folder, which is started for it where it does not run. */
export async function withDatabase<T>(folder: string, work: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
  const url = `embedded://${folder}/pg`;
  const options = { url, maxConnections: 2, connectTimeoutMs: 5000, sslmode: 'disable', caFile: '' } as const;
  const database = new Database(options, silentLogger());
  const started = await database.ensureRunning();
  const db = database.pool(() => {});
  try {
    return await work(db);
  } finally {
    await db.destroy();
    if (started) await database.stop();
  }
}

/** A replay in this process, beside the engine of this folder. */
export function replayOf(folder: string, options: Partial<ReplayOptions> = {}): Promise<ReplayReport> {
  return withDatabase(folder, async (db) => {
    const history = new HistoryTail(join(folder, 'history'));
    try {
      return await replay({ db, history, ...options });
    } finally {
      await history.close();
    }
  });
}

import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@sentinel/service-kit/logging';
import { testDatabase, testServer } from '@sentinel/test-kit';
import pg from 'pg';
import { Database, type Timeouts } from '../store/connect.js';
import { PATIENT } from './patient.js';

/** A place for a database, empty at first. */
export interface DatabasePlace {
  readonly url: string;
  /** As an engine has it, with limits that are not met by chance. */
  database(timeouts?: Timeouts): Database;
  /** One statement behind the engine's back. */
  sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  remove(): Promise<void>;
}

/** Every kind that an engine runs on: what is promised of one is promised of each. */
export const DATABASE_KINDS: readonly {
  readonly name: string;
  readonly skip: string | false;
  make(): Promise<DatabasePlace>;
}[] = [
  { name: 'embedded', skip: false, make: embedded },
  { name: 'a server', skip: (await testServer('postgres')).skip, make: server },
];

async function embedded(): Promise<DatabasePlace> {
  const folder = mkdtempSync(join(tmpdir(), 'sentinel-database-'));
  // As root PostgreSQL is another user, who has to get there.
  chmodSync(folder, 0o711);
  const url = `embedded://${folder}/pg`;
  return placeOf(url, async () => {
    await databaseAt(url).stop();
    rmSync(folder, { recursive: true, force: true });
  });
}

async function server(): Promise<DatabasePlace> {
  const made = await testDatabase();
  return placeOf(made.url, () => made.drop());
}

function placeOf(url: string, remove: () => Promise<void>): DatabasePlace {
  return {
    url,
    database: (timeouts = PATIENT) => databaseAt(url, timeouts),
    sql: async (text, values = []) => {
      const client = new pg.Client(databaseAt(url).connection);
      client.on('error', () => {});
      await client.connect();
      try {
        return (await client.query<Record<string, unknown>>(text, values)).rows;
      } finally {
        await client.end();
      }
    },
    remove,
  };
}

function databaseAt(url: string, timeouts = PATIENT): Database {
  const options = { url, maxConnections: 8, connectTimeoutMs: 5_000, sslmode: 'disable', caFile: '' } as const;
  return new Database(options, silentLogger(), timeouts);
}

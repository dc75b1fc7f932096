import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { eventually } from '../eventually.js';
import { testServer } from './test-server.js';

/** What a URL, a shell and SQL each find special. */
const SPECIAL = `p@ss:w/o#r?d %25'"\\é`;

/** A database and a role of a test's own on the run's PostgreSQL. */
export interface TestDatabase extends AsyncDisposable {
  /** Of the role, which owns the database and is no superuser. */
  readonly url: string;
  readonly name: string;
  /** The same database as superuser. */
  readonly adminUrl: string;
  /** Removes both; whoever is connected is cut off. */
  drop(): Promise<void>;
}

/**
 * Makes an empty database and its role.
 * @throws Error when this machine has no server: ask `testServer('postgres')` first where that is a reason to skip
 */
export async function testDatabase(): Promise<TestDatabase> {
  const server = await testServer('postgres');
  if (server.skip !== false) throw new Error(server.skip);
  const name = `sentinel_test_${randomBytes(6).toString('hex')}`;
  const password = `${SPECIAL}${name}`;
  const literal = pg.escapeLiteral(password);
  await asAdmin(server.url, `create role ${name} login password ${literal}`);
  await asAdmin(server.url, `create database ${name} owner ${name}`);
  const drop = async (): Promise<void> => {
    await eventually(() => dropDatabase(server.url, name), { what: `${name} is dropped` });
    await asAdmin(server.url, `drop role if exists ${name}`);
  };
  const url = new URL(server.url);
  url.pathname = name;
  const adminUrl = url.href;
  url.username = name;
  url.password = encodeURIComponent(password);
  return { url: url.href, name, adminUrl, drop, [Symbol.asyncDispose]: drop };
}

/** PostgreSQL waits five seconds for those whom it cuts off, and then gives up. */
async function dropDatabase(url: string, name: string): Promise<true> {
  await asAdmin(url, `drop database if exists ${name} with (force)`);
  return true;
}

async function asAdmin(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

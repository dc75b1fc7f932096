import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@sentinel/test-kit';
import { sql } from 'kysely';
import pg from 'pg';
import { TestAgent } from '../testing/agent.js';
import { DATABASE_KINDS, type DatabasePlace } from '../testing/databases.js';
import { TestEngine } from '../testing/engine.js';
import { PATIENT } from '../testing/patient.js';

/** Those that the server keeps, a hundredth as long as in production. */
const TIMEOUTS = { ...PATIENT, statementMs: 600, writeMs: 600, lockMs: 300 };
const RECORDS = 40;

for (const { name, make, skip } of DATABASE_KINDS) {
  describe(`an engine whose database is slow: ${name}`, { skip }, () => {
    let place: DatabasePlace;
    let engine: TestEngine;
    let rival: pg.Client;
    before(async () => {
      place = await make();
      engine = new TestEngine({ database: { postgres_url: place.url, sslmode: 'disable' } });
      await eventually(() => engine.start({ timeouts: TIMEOUTS }), { what: 'it starts' });
      rival = new pg.Client(place.database().connection);
      await rival.connect();
    });
    after(async () => {
      await rival.end();
      await engine.remove();
      await place.remove();
    });
    const runs = async (device: string): Promise<number> =>
      Number(
        (await place.sql('select sum(runs)::int as n from counters where device_id = $1', [device]))[0]?.['n'] ?? 0,
      );
    const reasons = () =>
      engine.lines
        .filter(({ level, store }) => level === 'error' && store === 'state')
        .map(({ reason }) => String(reason));
    /** What an agent says while it lasts is not acknowledged until it is over, and then counts once. */
    const whileSlow = async (
      node: string,
      begin: () => Promise<unknown>,
      words: RegExp,
      end: () => Promise<unknown>,
    ): Promise<void> => {
      const agent = new TestAgent(engine.grpc, { node }).batches(RECORDS);
      // A hello that is not committed within the limits is refused.
      await eventually(() => agent.connect(), { what: 'it is let in' });
      const said = reasons().length;
      await begin();
      const done = agent.deliver({ records: 10n, restMs: 5 }, () => engine.grpc);
      // A machine that stands still for longer than the limits of this test adds reasons of its own.
      const saysWhy = () =>
        reasons()
          .slice(said)
          .some((reason) => words.test(reason));
      await eventually(saysWhy, { what: `it says ${words}` });
      await sleep(500);
      assert.equal(agent.ack.committedThrough, 0n, 'nothing is acknowledged');
      assert.equal((await fetch(`http://${engine.http}/health`)).status, 503);
      await end();
      await done;
      assert.equal(await runs(agent.device), RECORDS);
      agent.close();
      await eventually(async () => (await fetch(`http://${engine.http}/health`)).status === 200, {
        what: 'it is well',
      });
      assert.deepEqual(engine.fatal, []);
    };

    it('gives up what waits for a lock', () =>
      whileSlow(
        'locked',
        async () => {
          await rival.query('begin');
          await rival.query('lock table counters in share row exclusive mode');
        },
        /took too long \(canceling statement due to lock timeout\)/,
        () => rival.query('rollback'),
      ));

    it('gives up a statement that takes too long', () =>
      whileSlow(
        'stuck',
        async () => {
          await rival.query(
            `create function stuck() returns trigger language plpgsql as 'begin perform pg_sleep(60); return new; end'`,
          );
          await rival.query('create trigger stuck before insert on counters for each row execute function stuck()');
        },
        /took too long \(canceling statement due to statement timeout\)/,
        async () => {
          await rival.query('drop trigger stuck on counters');
          await rival.query('drop function stuck');
        },
      ));

    it('leaves no transaction open behind an engine that stands still', async () => {
      const client = new pg.Client(place.database({ ...PATIENT, idleInTransactionMs: 400 }).connection);
      const gone = Promise.withResolvers<Error>();
      client.on('error', gone.resolve);
      await client.connect();
      // In one message: the limit runs as soon as a transaction waits for the next one.
      await client.query('begin; update head set now_us = now_us');
      const error = await gone.promise;
      assert.match(place.database().explain(error).sentence, /gave up/);
      await place.sql('update head set now_us = now_us');
    });

    it('takes longer where a step of the schema does', async () => {
      const db = place.database(TIMEOUTS).forMigration();
      await sql`select pg_sleep(1)`.execute(db);
      await db.destroy();
    });
  });
}

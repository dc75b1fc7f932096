import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { ManualClock } from '@sentinel/service-kit/clock';
import { silentLogger } from '@sentinel/service-kit/logging';
import { type TestDatabase, testDatabase, testServer } from '@sentinel/test-kit';
import { type Kysely, sql } from 'kysely';
import { Database } from '../connect.js';
import { migrateUp } from '../migrate.js';
import type { Tables } from '../schema.js';
import { prunedBefore } from './pruned.js';
import { PASS_ROWS, Retention } from './retention.js';

const DAY_US = 86_400_000_000;
const NOW_US = Date.now() * 1000;

const { skip } = await testServer('postgres');

describe('what is old', { skip }, () => {
  let server: TestDatabase;
  let db: Kysely<Tables>;
  before(async () => {
    server = await testDatabase();
    const options = {
      url: server.url,
      maxConnections: 4,
      connectTimeoutMs: 5_000,
      sslmode: 'disable',
      caFile: '',
    } as const;
    const database = new Database(options, silentLogger());
    await migrateUp(database);
    db = database.pool(() => {});
  });
  after(async () => {
    await db.destroy();
    await server.drop();
  });
  beforeEach(async () => {
    for (const table of ['records', 'log_bases', 'log_base_rows', 'pruned', 'transitions'] as const)
      await db.deleteFrom(table).execute();
  });

  /** Record n was committed n days ago. */
  const fill = async (days: number): Promise<void> => {
    await sql`insert into records select ${days} - n, ${NOW_US} - n * ${DAY_US}::bigint, 'timer', '{}' from generate_series(0, ${days - 1}::int) n`.execute(
      db,
    );
    await sql`insert into transitions (event_id, commit_seq, device_id, time_us, from_state, to_state, reason, actor, injected)
      select n, ${days} - n, 'd', ${NOW_US} - n * ${DAY_US}::bigint, '', '', '', '', false from generate_series(0, ${days - 1}::int) n`.execute(
      db,
    );
  };
  const base = async (commitSeq: number, ageDays: number): Promise<void> => {
    await db
      .insertInto('log_bases')
      .values({ commit_seq: commitSeq, now_us: NOW_US - ageDays * DAY_US, release: '' })
      .execute();
    await db
      .insertInto('log_base_rows')
      .values({ base: commitSeq, kind: 'fact', id: 'config', body: sql`'{}'::json` })
      .execute();
  };
  const oldest = async (table: 'records' | 'transitions') => {
    const { first, rows } = await db
      .selectFrom(table)
      .select(({ fn }) => [fn.min('commit_seq').as('first'), fn.countAll<number>().as('rows')])
      .executeTakeFirstOrThrow();
    return [first, Number(rows)];
  };
  const bases = async () => ({
    kept: (await db.selectFrom('log_bases').select('commit_seq').orderBy('commit_seq').execute()).map(
      (row) => row.commit_seq,
    ),
    rows: (await db.selectFrom('log_base_rows').select('base').orderBy('base').execute()).map((row) => row.base),
  });

  /** One round. @param clockUs of this machine */
  const prune = async (log: number, transitions = 3650, clockUs = NOW_US) => {
    const told = { asked: 0, counted: {} as Record<string, number>, passes: 0 };
    const round = Promise.withResolvers<void>();
    const retention = new Retention({
      db,
      clock: new ManualClock(BigInt(clockUs)),
      days: () => ({ log, observations: 365, transitions, directives: 90 }),
      // The last thing of a round.
      pruneDirectives: async () => {
        round.resolve();
        return 0;
      },
      keepBase: () => {
        told.asked += 1;
      },
      pruned: (what, rows) => {
        told.passes += 1;
        assert.ok(rows <= PASS_ROWS);
        told.counted[what] = (told.counted[what] ?? 0) + rows;
      },
      failed: round.reject,
    });
    retention.start();
    await round.promise;
    await retention.stop();
    return told;
  };

  it('stays while no state is kept that a replay could begin with instead, which is asked for', async () => {
    await fill(400);
    const { asked, counted } = await prune(90);
    assert.deepEqual([asked, counted], [1, {}]);
    assert.deepEqual(await oldest('records'), [1, 400]);
    await base(399, 1);
    assert.equal((await prune(90)).asked, 0, 'one that is young enough will do');
    assert.deepEqual(await oldest('records'), [1, 400]);
  });

  it('goes behind the newest state that is old enough; the states before go with it', async () => {
    await fill(400);
    for (const [seq, age] of [
      [50, 350],
      [200, 200],
      [300, 100],
      [399, 1],
    ] as const)
      await base(seq, age);
    const { asked, counted } = await prune(90);
    assert.deepEqual([asked, counted], [0, { records: 300, log_bases: 2 }]);
    assert.deepEqual(await oldest('records'), [301, 100]);
    assert.deepEqual(await bases(), { kept: [300, 399], rows: [300, 399] });
    assert.equal(await prunedBefore(db, 'records'), 301);
    assert.deepEqual((await prune(90)).counted, {}, 'a second round finds nothing');
  });

  it('goes in passes, each of a bounded number of rows', async () => {
    const rows = 2 * PASS_ROWS + 10;
    await fill(rows);
    const { counted, passes } = await prune(90, rows - 2 * PASS_ROWS);
    assert.deepEqual([counted, passes], [{ transitions: 2 * PASS_ROWS - 1 }, 2]);
    assert.equal(Number(await prunedBefore(db, 'transitions')), NOW_US - 10 * DAY_US);
  });

  it('is not what one clock alone calls old', async () => {
    await fill(400);
    await base(300, 100);
    assert.deepEqual((await prune(150, 3650, NOW_US + 1000 * DAY_US)).counted, {});
    assert.deepEqual(await oldest('records'), [1, 400]);
  });
});

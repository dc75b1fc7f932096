import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '@sentinel/service-kit/clock';
import { silentLogger } from '@sentinel/service-kit/logging';
import { eventually, type TestDatabase, testDatabase, testServer } from '@sentinel/test-kit';
import type { CoreConfig } from '../core.js';
import { CONFIG } from '../evidence/testing/config.js';
import { Database } from '../store/connect.js';
import { StateStore } from '../store/state-store.js';
import { Committer } from './committer.js';
import { baseItem, type OwnItem } from './item.js';

const { skip } = await testServer('postgres');

describe('a base of the log', { skip }, () => {
  let server: TestDatabase;
  let store: StateStore;
  let committer: Committer;
  before(async () => {
    server = await testDatabase();
    const options = {
      url: server.url,
      maxConnections: 4,
      connectTimeoutMs: 5_000,
      sslmode: 'disable',
      caFile: '',
    } as const;
    store = new StateStore(new Database(options, silentLogger()), silentLogger(), () => {});
    const events = {
      committed: () => {},
      refused: () => {},
      storeChanged: () => {},
      fatal: (error: unknown) => assert.fail(String(error)),
    };
    committer = new Committer(store, systemClock, CONFIG, events, () => []);
    committer.load(await store.open(), CONFIG);
  });
  after(async () => {
    await committer.stop();
    await store.close();
    await server.drop();
  });

  const config = (priorAlpha: number): OwnItem => ({
    kind: 'own',
    record: { kind: 'config', config: { ...CONFIG, priorAlpha } },
    committed: () => {},
    failed: () => {},
  });

  it('is the state right after its record, whatever was asked for at the same time', async () => {
    for (const item of [config(101), baseItem(), config(102), baseItem(), config(103)]) committer.submit(item);
    await eventually(() => committer.head.commitSeq === 5, { what: 'all is committed' });
    const bases = await store.db.selectFrom('log_bases').selectAll().orderBy('commit_seq').execute();
    assert.deepEqual(
      bases.map(({ commit_seq }) => commit_seq),
      [2, 4],
    );
    const kept = await store.db
      .selectFrom('log_base_rows')
      .selectAll()
      .where('kind', '=', 'fact')
      .where('id', '=', 'config')
      .orderBy('base')
      .execute();
    assert.deepEqual(
      kept.map(({ body }) => (body as CoreConfig).priorAlpha),
      [101, 102],
    );
    const records = await store.db.selectFrom('records').select(['commit_seq', 'kind']).orderBy('commit_seq').execute();
    assert.deepEqual(
      records.map(({ kind }) => kind),
      ['config', 'resumed', 'config', 'resumed', 'config'],
    );
  });
});

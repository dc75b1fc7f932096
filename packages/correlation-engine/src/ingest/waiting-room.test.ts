import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, testDatabase, testServer } from '@sentinel/test-kit';
import pg from 'pg';
import { TestAgent } from '../testing/agent.js';
import { TestEngine } from '../testing/engine.js';
import { WaitingRoom } from './waiting-room.js';

it('a full room calls whoever waits outside once half of it is free, once', () => {
  const room = new WaitingRoom(100);
  const calls: string[] = [];
  room.enter(60);
  assert.equal(room.isFull, false);
  room.enter(60);
  assert.equal(room.isFull, true);
  for (const name of ['a', 'b']) room.whenRoom(() => calls.push(name));
  const left = () => calls.push('left');
  room.whenRoom(left);
  room.forget(left);
  room.leave(60);
  assert.deepEqual([room.isFull, calls], [false, []]);
  room.leave(20);
  assert.deepEqual(calls, ['a', 'b']);
  room.leave(40);
  assert.deepEqual(calls, ['a', 'b']);
});

const AGENTS = 4;
const RECORDS = 100;
/** Records for which there is room. */
const PLACES = 20;
const { skip } = await testServer('postgres');

describe('agents while nothing can be committed', { skip }, () => {
  it('fill no more than the room that all of them share, and each is applied once afterwards', async () => {
    const database = await testDatabase();
    const engine = new TestEngine({ database: { postgres_url: database.url, sslmode: 'disable' } });
    const admin = new pg.Client(database.url);
    const agents = Array.from({ length: AGENTS }, (_, i) => new TestAgent('', { node: `n${i}` }).batches(RECORDS));
    try {
      await admin.connect();
      await engine.start({ waitingBytes: PLACES * (agents[0]?.payloads[0]?.length ?? 0) });
      for (const agent of agents) await agent.connect(engine.grpc);
      await admin.query('begin');
      await admin.query('select from head for update');
      for (const agent of agents) agent.sendAll(...Array.from({ length: RECORDS }, (_, i) => BigInt(i) + 1n));
      const records = () => engine.metric('sentinel_correlation_buffer_size');
      await eventually(async () => (await records()) > 0, { what: 'records wait' });
      await sleep(2_000);
      const waiting = await records();
      // Each may have sent what was on its way when it was told to stop.
      assert.ok(waiting < 2 * PLACES, `${waiting} wait`);
      await admin.query('rollback');
      for (const agent of agents) await agent.committed(BigInt(RECORDS));
      const runs = await engine.sql('select device_id, sum(runs)::int as runs from counters group by 1 order by 1');
      assert.deepEqual(
        runs,
        agents.map(({ device }) => ({ device_id: device, runs: RECORDS })),
      );
    } finally {
      for (const agent of agents) agent.close();
      await admin.end();
      await engine.remove();
      await database.drop();
    }
  });
});

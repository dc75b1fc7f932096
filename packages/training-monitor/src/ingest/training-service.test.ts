import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ReplicaRound } from '@sentinel/contracts/sentinel/v1/training.js';
import { Inbox } from '@sentinel/monitor-kit/ingest/inbox';
import { temporaryFolder, until } from '@sentinel/monitor-kit/testing/until';
import type { SentinelError } from '@sentinel/service-kit/errors';
import { startGrpcServer } from '@sentinel/service-kit/grpc-server';
import { silentLogger } from '@sentinel/service-kit/logging';
import type { TrainingRecord } from '../grouping/record.js';
import { RankClient, senderOf } from '../testing/job.js';
import { TrainingService } from './training-service.js';

const MAX_MESSAGE_BYTES = 65_536;
const folder = temporaryFolder();
let sockets = 0;

/** The service with a real server on a socket; what it hands on is noted. */
async function served(t: TestContext, inboxGiven?: Pick<Inbox, 'push'>) {
  sockets += 1;
  const socket = join(folder, `${sockets}.sock`);
  const taken: TrainingRecord[] = [];
  const refused: SentinelError[] = [];
  const seen = { left: 0, libraryDropped: 0 };
  const inbox = inboxGiven ?? new Inbox(() => assert.fail('an analyser failed'));
  const service = new TrainingService({
    inbox,
    join: (sender) => ({
      sender,
      take: (record) => void taken.push(record),
      wantsReplay: () => taken.length === 2,
      leave: () => {
        seen.left += 1;
      },
    }),
    nowMs: () => 0,
    onRecord: () => {},
    onLibraryDropped: (records) => {
      seen.libraryDropped += records;
    },
    onRefused: (error) => void refused.push(error),
    log: silentLogger(),
  });
  const server = await startGrpcServer({
    ...{ address: `unix:${socket}`, addressKey: 'socket', tls: null, insecure: false, log: silentLogger() },
    ...{ tokens: { operator: '', service: '' }, services: [service.entry()], maxMessageBytes: MAX_MESSAGE_BYTES },
  });
  t.after(async () => {
    service.close();
    await server.stop();
  });
  return { socket, taken, refused, seen, service };
}

test('records arrive in order, are answered, and a rank that ends has left', async (t) => {
  const { socket, taken, seen, service } = await served(t);
  const rank = new RankClient(socket, senderOf(1));
  await rank.hello();
  await until('the hello answered', () => rank.handled === 1n);
  for (let step = 1; step <= 200; step += 1) await rank.replicas(step, ['aa']);
  await until('all answered', () => rank.analysed === 200n && rank.handled === 201n);
  assert.deepEqual(
    taken.map((record) => record.kind === 'replicas' && record.moment.step),
    Array.from({ length: 200 }, (_, k) => k + 1),
  );
  assert.equal(service.streams, 1);
  rank.close();
  assert.equal(await rank.ended, null);
  await until('left', () => seen.left === 1);
  assert.equal(service.streams, 0);
});

test('a record before the hello, a wrong one and one that is too large cost their sender the stream, and nobody else', async (t) => {
  const { socket, taken, refused } = await served(t);
  const good = new RankClient(socket, senderOf(2));
  await good.hello();
  const early = new RankClient(socket, senderOf(2));
  await early.replicas(1, ['aa', 'aa']);
  assert.deepEqual([(await early.ended)?.code, (await early.ended)?.field], ['INVALID_ARGUMENT', 'hello']);
  const wrong = new RankClient(socket, senderOf(2));
  await wrong.hello();
  await wrong.replicas(1, ['aa']);
  assert.equal((await wrong.ended)?.field, 'replicas.checksums');
  const large = new RankClient(socket, senderOf(2));
  await large.hello();
  await large.send({
    $case: 'replicas',
    value: ReplicaRound.fromPartial({ checksums: [Buffer.alloc(MAX_MESSAGE_BYTES)] }),
  });
  assert.deepEqual([(await large.ended)?.code, (await large.ended)?.reason], ['RESOURCE_EXHAUSTED', 'TOO_LARGE']);
  await good.replicas(1, ['aa', 'aa']);
  await until('the good record', () => taken.length === 1);
  assert.equal(refused.length, 2);
});

test('while the queue is full the socket is read on: no rank waits, none is sent away', async (t) => {
  let found = 0;
  const { socket, taken, service } = await served(t, {
    push: () => {
      found += 1;
      return false;
    },
  });
  const rank = new RankClient(socket, senderOf(1));
  await rank.hello();
  for (let step = 1; step <= 3_000; step += 1) await rank.replicas(step, ['aa']);
  await until('everything read', () => found === 3_000);
  assert.deepEqual([taken.length, service.streams], [0, 1]);
});

test('what the library dropped is counted once', async (t) => {
  const { socket, seen } = await served(t);
  const rank = new RankClient(socket, senderOf(1));
  await rank.hello();
  for (const dropped of [3n, 3n, 10n]) {
    await rank.send({ $case: 'replicas', value: ReplicaRound.fromPartial({ checksums: [Buffer.alloc(32)] }) }, dropped);
  }
  await until('the counts', () => seen.libraryDropped === 10);
});

test('a rank is told once that a replay is wanted', async (t) => {
  const { socket } = await served(t);
  const rank = new RankClient(socket, senderOf(1));
  await rank.hello();
  for (let step = 1; step <= 200; step += 1) await rank.replicas(step, ['aa']);
  await until('all answered', () => rank.analysed === 200n);
  assert.equal(rank.replaysWanted, 1);
});

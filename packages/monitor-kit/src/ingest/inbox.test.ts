import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Inbox, MAX_WAITING, MAX_WAITING_OF_ONE } from './inbox.js';

const fail = () => assert.fail('an analyser failed');

test('work is done in order, and not while the socket is read', async () => {
  const done: number[] = [];
  const inbox = new Inbox(fail);
  for (let k = 0; k < 100; k += 1) assert.ok(inbox.push({ waiting: 0 }, () => done.push(k)));
  assert.deepEqual(done, []);
  await inbox.idle();
  assert.deepEqual(
    done,
    Array.from({ length: 100 }, (_, k) => k),
  );
});

test('one stream has its share, all together theirs; what finds no room is counted', async () => {
  const inbox = new Inbox(fail);
  const greedy = { waiting: 0 };
  for (let k = 0; k < MAX_WAITING_OF_ONE; k += 1) assert.ok(inbox.push(greedy, () => {}));
  assert.equal(
    inbox.push(greedy, () => {}),
    false,
  );
  for (let k = MAX_WAITING_OF_ONE; k < MAX_WAITING; k += 1) assert.ok(inbox.push({ waiting: 0 }, () => {}));
  assert.equal(
    inbox.push({ waiting: 0 }, () => {}),
    false,
  );
  assert.deepEqual([inbox.dropped, inbox.waiting], [2, MAX_WAITING]);
  await inbox.idle();
  assert.equal(greedy.waiting, 0);
  assert.ok(inbox.push(greedy, () => {}));
  await inbox.idle();
});

test('work that fails stops no other', async () => {
  const failures: unknown[] = [];
  let done = 0;
  const inbox = new Inbox((error) => failures.push(error));
  inbox.push({ waiting: 0 }, () => {
    throw new Error('of an analyser');
  });
  inbox.push({ waiting: 0 }, () => {
    done += 1;
  });
  await inbox.idle();
  assert.deepEqual([failures.length, done], [1, 1]);
});

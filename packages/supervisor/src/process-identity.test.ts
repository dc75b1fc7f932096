import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { end, identify, isAlive } from './process-identity.js';

test('a living process is itself, and no other with its pid', () => {
  const self = identify(process.pid);
  assert.ok(self !== null && isAlive(self));
  assert.equal(isAlive({ ...self, startTicks: '1' }), false);
});

test('no such process, and one that has ended', async () => {
  assert.equal(identify(2 ** 22 + 1), null);
  // It stays until it was looked at.
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
  const identity = identify(child.pid as number);
  child.stdin.end();
  await once(child, 'exit');
  assert.ok(identity !== null);
  assert.equal(isAlive(identity), false);
});

test('a process that ignores the gentle signal is ended by the hard one', async () => {
  const child = spawn(process.execPath, [
    '-e',
    'process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000)',
  ]);
  await once(child.stdout, 'data');
  const identity = identify(child.pid as number);
  assert.ok(identity !== null);
  const exited = once(child, 'exit');
  await end(identity, 'SIGTERM', 'SIGKILL', 200);
  assert.equal((await exited)[1], 'SIGKILL');
});

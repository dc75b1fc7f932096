import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, temporaryFolder } from '@sentinel/test-kit';
import { ManagedProcess, type ProcessState, type ProcessStatus } from './managed-process.js';
import { identify, isAlive } from './process-identity.js';
import { ServiceLog } from './service-log.js';

/** Runs `script` under care; `seen` are the states that it went through. */
async function manage(
  script: string,
  use: (managed: ManagedProcess, seen: ProcessState[]) => Promise<void>,
): Promise<void> {
  await using temporary = await temporaryFolder();
  const seen: ProcessState[] = [];
  const spec = { name: 'service', command: [process.execPath, '-e', script], env: {}, cwd: temporary.path } as const;
  const managed = new ManagedProcess(spec, new ServiceLog(temporary.join('log')), ({ state }) => seen.push(state));
  managed.start();
  try {
    await use(managed, seen);
  } finally {
    await managed.stop();
  }
}

const reached = (managed: ManagedProcess, what: (status: ProcessStatus) => boolean): Promise<true> =>
  eventually(() => what(managed.status), { what: 'the state' }) as Promise<true>;

test('started, ready, stopped in order', async () => {
  await manage('setInterval(() => {}, 1000)', async (managed, seen) => {
    const { pid } = managed.status;
    assert.ok(pid !== null && identify(pid) !== null);
    managed.ready();
    await managed.stop();
    assert.equal(identify(pid), null);
    assert.deepEqual(seen, ['starting', 'running', 'stopped']);
  });
});

test('a service that is killed is started again', async () => {
  await manage('setInterval(() => {}, 1000)', async (managed) => {
    const first = managed.status.pid as number;
    process.kill(first, 'SIGKILL');
    await reached(managed, ({ pid, state }) => pid !== null && pid !== first && state === 'starting');
    const { restarts, lastEnd, exitStatus } = managed.status;
    assert.deepEqual([restarts, lastEnd, exitStatus], [1, 'was ended by SIGKILL', null]);
  });
});

test('an error that a service got over is not why it was killed', async () => {
  const error = JSON.stringify({ level: 'error', msg: 'the probe child is replaced' });
  await manage(`console.log(${JSON.stringify(error)}); process.kill(process.pid, 'SIGKILL')`, async (managed) => {
    await reached(managed, ({ restarts }) => restarts === 1);
    assert.deepEqual([managed.status.lastEnd, managed.status.lastWords], ['was ended by SIGKILL', '']);
  });
});

test('a service that keeps failing is started more and more rarely, and says why', async () => {
  await manage('console.error("no disk"); process.exit(70)', async (managed) => {
    const startedAt = performance.now();
    await reached(managed, ({ restarts }) => restarts === 3);
    assert.ok(performance.now() - startedAt > 250 + 500);
    assert.deepEqual([managed.status.lastEnd, managed.status.lastWords], ['ended with status 70', 'no disk']);
  });
});

for (const status of [2, 78]) {
  test(`exit status ${status} is final: it would be the same again`, async () => {
    await manage(`console.error("unknown key"); process.exit(${status})`, async (managed, seen) => {
      await reached(managed, ({ state }) => state === 'failed');
      assert.deepEqual([managed.status.exitStatus, managed.status.lastWords], [status, 'unknown key']);
      assert.deepEqual(seen, ['starting', 'failed']);
    });
  });
}

test('a stop while it waits for the next try', async () => {
  await manage('process.exit(1)', async (managed) => {
    await reached(managed, ({ state }) => state === 'restarting');
    await managed.stop();
    assert.equal(managed.status.state, 'stopped');
  });
});

test('a program that does not exist is said, not thrown', async () => {
  await using temporary = await temporaryFolder();
  const spec = { name: 'service', command: ['/no/such/program'], env: {}, cwd: temporary.path } as const;
  const managed = new ManagedProcess(spec, new ServiceLog(temporary.join('log')), () => undefined);
  managed.start();
  await reached(managed, ({ lastEnd }) => /could not be started: .*ENOENT/.test(lastEnd));
  await managed.stop();
});

test('a service that ignores SIGTERM can be killed', async () => {
  await manage('process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)', async (managed) => {
    const identity = identify(managed.status.pid as number);
    const stopped = managed.stop();
    managed.kill();
    await stopped;
    assert.ok(identity !== null && !isAlive(identity));
  });
});

import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { startProcess, type TemporaryFolder, type TestProcess, temporaryFolder } from '@sentinel/test-kit';
import { StopStack } from './lifecycle.js';

const module = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);

/** Runs a service that consists of `service` (an object literal), and waits for `output` unless told otherwise. */
function run(folder: TemporaryFolder, service: string, output: RegExp | null = /"msg":"ready"/): Promise<TestProcess> {
  const script = `
    import { runService } from ${module('./lifecycle.js')};
    import { createLogger } from ${module('./logging.js')};
    import { SentinelError } from ${module('./errors.js')};
    import { ConfigError } from ${module('./config/problems.js')};
    const log = createLogger('test', { level: 'info', format: 'json', output: 'stdout' });
    const say = (text) => console.log(text);
    setInterval(() => {}, 1000);
    await runService((fatal) => (${service}), { log, readyFile: ${JSON.stringify(folder.join('ready.json'))} });`;
  const command = [process.execPath, '--input-type=module', '-e', script] as const;
  return startProcess({ command, ...(output === null ? {} : { ready: { output } }) });
}

/** Runs a service that is to end by itself. */
async function runToEnd(service: string): Promise<{ code: number | null; output: string }> {
  await using folder = await temporaryFolder();
  await using running = await run(folder, service, null);
  const { code } = await running.exited;
  return { code, output: running.output };
}

const SERVING = `{ start: async () => ({ grpc: '127.0.0.1:7', http: '127.0.0.1:8' }), stop: async () => say('drained') }`;

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} drains and ends with 0`, async () => {
    await using folder = await temporaryFolder();
    await using running = await run(folder, SERVING);
    assert.deepEqual(await running.kill(signal), { code: 0, signal: null });
    assert.match(running.output, /"msg":"stopping"[\s\S]+drained[\s\S]+"msg":"stopped"/);
  });
}

test('the ready file has pid and addresses, is whole when it is seen, and everybody may read it', async () => {
  await using folder = await temporaryFolder();
  await using running = await run(folder, SERVING);
  const file = folder.join('ready.json');
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), {
    pid: running.pid,
    grpc: '127.0.0.1:7',
    http: '127.0.0.1:8',
  });
  assert.equal(statSync(file).mode & 0o777, 0o644);
});

test('SIGHUP reloads; a reload that fails is said, and the service goes on', async () => {
  await using folder = await temporaryFolder();
  await using running = await run(
    folder,
    `{ start: async () => ({}), stop: async () => {}, count: 0,
       reload() { this.count += 1; if (this.count === 2) throw new Error('bad file'); say('reloaded ' + this.count); } }`,
  );
  for (const expected of [/reloaded 1/, /"msg":"not reloaded, what runs goes on as before: bad file"/, /reloaded 3/]) {
    process.kill(running.pid, 'SIGHUP');
    await running.printed(expected);
  }
  assert.equal((await running.kill('SIGTERM')).code, 0);
});

test('a second signal ends it at once', async () => {
  await using folder = await temporaryFolder();
  await using running = await run(folder, `{ start: async () => ({}), stop: () => new Promise(() => {}) }`);
  process.kill(running.pid, 'SIGTERM');
  await running.printed(/stopping/);
  assert.equal((await running.kill('SIGTERM')).code, 130);
});

test('so does one that comes while the first is being logged', async () => {
  const telling = `log.info = () => process.kill(process.pid, 'SIGTERM')`;
  const { code } = await runToEnd(
    `{ start: async () => { ${telling}; return {}; }, stop: () => new Promise(() => {}) }`,
  );
  assert.equal(code, 130);
});

test('a signal during the start waits for it, so that what has begun is stopped', async () => {
  await using folder = await temporaryFolder();
  const slow = `{ start: async () => { say('starting'); await new Promise((done) => setTimeout(done, 300)); say('started'); return {}; },
                  stop: async () => say('drained') }`;
  await using running = await run(folder, slow, /starting/);
  assert.deepEqual(await running.kill('SIGTERM'), { code: 0, signal: null });
  assert.match(running.output, /started[\s\S]+drained/);
});

/** How long a process lives after a signal that comes while its start waits for something. */
async function livesOn(): Promise<number> {
  await using folder = await temporaryFolder();
  const waiting = `{ start: (stopping) => new Promise((_, reject) => { say('waiting'); stopping.addEventListener('abort', () => reject(new Error('given up'))); }),
                  stop: async () => say('drained') }`;
  await using running = await run(folder, waiting, /waiting/);
  const asked = performance.now();
  assert.deepEqual(await running.kill('SIGTERM'), { code: 0, signal: null });
  const ms = performance.now() - asked;
  assert.match(running.output, /"msg":"stopping"[\s\S]+drained/);
  assert.doesNotMatch(running.output, /given up|fatal/);
  return ms;
}

test('a signal ends a start that waits for something, at once and with 0', async () => {
  // A start that does not end is waited for 8 s.
  let ms = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 3 && ms >= 7_800; tries += 1) ms = await livesOn();
  assert.ok(ms < 7_800, `${ms} ms`);
});

test('SIGHUP during the start reloads, too', async () => {
  await using folder = await temporaryFolder();
  const waiting = `{ start: async (stopping) => { say('waiting'); await new Promise((done) => stopping.addEventListener('abort', done)); return {}; },
                  stop: async () => {}, reload: () => say('reloaded') }`;
  await using running = await run(folder, waiting, /waiting/);
  process.kill(running.pid, 'SIGHUP');
  await running.printed(/reloaded/);
});

test('what nobody caught, and what the service calls fatal, end it with 70 after a drain', async () => {
  const thrown = await runToEnd(
    `{ start: async () => { setTimeout(() => { throw new Error('boom'); }, 50); return {}; }, stop: async () => say('drained') }`,
  );
  assert.equal(thrown.code, 70);
  assert.match(thrown.output, /"level":"fatal"[\s\S]+boom[\s\S]+drained/);
  const rejected = await runToEnd(
    `{ start: async () => { setTimeout(() => Promise.reject(new Error('lost')), 50); return {}; }, stop: async () => {} }`,
  );
  assert.equal(rejected.code, 70);
  const fatal = await runToEnd(
    `{ start: async () => { setTimeout(() => fatal(new Error('fsync failed')), 50); return {}; }, stop: async () => say('drained') }`,
  );
  assert.equal(fatal.code, 70);
  assert.match(fatal.output, /fsync failed[\s\S]+drained/);
});

test('a start that fails says why in one sentence, stops what has begun, and tells by its status whether to try again', async () => {
  const failing = (error: string): string =>
    `{ start: async () => { throw ${error}; }, stop: async () => say('drained') }`;
  const cases: [error: string, code: number, said: RegExp][] = [
    [`new ConfigError([{ key: 'correlation_engine.mode', reason: 'is neither' }])`, 78, /correlation_engine\.mode/],
    [
      `new SentinelError({ code: 'FAILED_PRECONDITION', message: 'no such file', field: 'correlation_engine.tls.ca_file' })`,
      78,
      /no such file/,
    ],
    [`new SentinelError({ code: 'FAILED_PRECONDITION', message: 'another process uses it' })`, 1, /another process/],
    [
      `new SentinelError({ code: 'UNAVAILABLE', message: 'the port is taken', field: 'x', hint: 'Free it.' })`,
      69,
      /the port is taken\. Free it\./,
    ],
    [`new TypeError('x is undefined')`, 70, /x is undefined/],
  ];
  for (const [error, code, said] of cases) {
    const ended = await runToEnd(failing(error));
    assert.equal(ended.code, code, error);
    assert.match(ended.output, said);
    assert.match(ended.output, /drained/);
  }
});

test('a drain that fails is said, and the process ends', async () => {
  await using folder = await temporaryFolder();
  await using running = await run(
    folder,
    `{ start: async () => ({}), stop: async () => { throw new Error('stuck'); } }`,
  );
  assert.equal((await running.kill('SIGTERM')).code, 0);
  assert.match(running.output, /"msg":"drain failed"/);
});

test('a stop stack stops everything, newest first, even when one fails', async () => {
  const stack = new StopStack();
  const stopped: string[] = [];
  stack.push('store', () => void stopped.push('store'));
  stack.push('server', () => Promise.reject(new Error('stuck')));
  stack.push('timer', async () => void stopped.push('timer'));
  await assert.rejects(stack.stop(), (error: unknown) => {
    assert.ok(error instanceof AggregateError);
    assert.equal(error.message, 'stopping server');
    return true;
  });
  assert.deepEqual(stopped, ['timer', 'store']);
  await stack.stop();
});

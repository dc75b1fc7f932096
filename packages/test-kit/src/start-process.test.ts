import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startProcess } from './start-process.js';
import { temporaryFolder } from './temporary-folder.js';

const node = (script: string): readonly [string, ...string[]] => [process.execPath, '-e', script];
const STAY = 'setInterval(() => {}, 1000);';

test('ready by its ready file, whose content is given; a file of an earlier life does not count', async () => {
  await using folder = await temporaryFolder();
  const file = folder.join('ready.json');
  const script = `setTimeout(() => require('fs').writeFileSync(process.env.READY, JSON.stringify({ pid: process.pid, grpc: 'x' })), 50); ${STAY}`;
  const spec = { command: node(script), env: { READY: file }, ready: { file } };
  await using first = await startProcess(spec);
  assert.deepEqual(first.ready, { pid: first.pid, grpc: 'x' });
  await using second = await startProcess(spec);
  assert.deepEqual(second.ready, { pid: second.pid, grpc: 'x' });
});

test('ready by its output; later output can be waited for; a signal ends it', async () => {
  const script = `console.log('open'); setTimeout(() => console.error('wrote 12 lines'), 50); ${STAY}`;
  await using running = await startProcess({ command: node(script), ready: { output: /open/ } });
  assert.equal((await running.printed(/wrote (\d+)/g))[1], '12');
  assert.match(running.output, /open\nwrote/);
  assert.deepEqual(await running.kill('SIGKILL'), { code: null, signal: 'SIGKILL' });
});

test('one that ends too early is an error with its last words', async () => {
  const start = startProcess({
    command: node(`console.error('no such key'); process.exit(78)`),
    ready: { output: /never/ },
  });
  await assert.rejects(start, /ended with \{"code":78,"signal":null\}[\s\S]*no such key/);
});

test('one that takes too long is an error, and is killed', async () => {
  const start = startProcess({
    // A shell, which has said that long before its time is over.
    command: ['sh', '-c', 'echo "pid $$"; exec sleep 60'],
    ready: { output: /never/ },
    readyTimeoutMs: 5_000,
  });
  const error = await start.then(
    () => assert.fail('it was never ready'),
    (thrown: Error) => thrown,
  );
  const pid = Number(/pid (\d+)/.exec(error.message)?.[1]);
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});

test('a program that does not exist is an error', async () => {
  await assert.rejects(startProcess({ command: ['/no/such/program'] }), { code: 'ENOENT' });
});

test('environment and folder reach it, and its end is told with all of its output', async () => {
  await using folder = await temporaryFolder();
  const script = `process.stdout.write(process.cwd() + ' ' + process.env.WORD + ' ' + 'x'.repeat(300000))`;
  await using running = await startProcess({ command: node(script), env: { WORD: 'hello' }, cwd: folder.path });
  assert.deepEqual(await running.exited, { code: 0, signal: null });
  assert.equal(running.output, `${folder.path} hello ${'x'.repeat(300_000)}`);
});

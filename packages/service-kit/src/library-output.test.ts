import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const module = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);

test('what a library or Node prints is a line of the log, without secrets', async () => {
  const script = `
    import { createLogger } from ${module('./logging.js')};
    import { logLibraryOutput } from ${module('./library-output.js')};
    logLibraryOutput(createLogger('engine', { level: 'info', format: 'json', output: 'stdout' }));
    console.warn('[WARN] no password for redis://user:hunter2@host: %d', 7);
    console.error(new Error('boom').message);
    console.debug('below the level');
    process.emitWarning('too many listeners', 'MaxListenersExceededWarning');
    setTimeout(() => {}, 10);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.equal(stderr, '');
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { level: string; from: string; msg: string });
  assert.deepEqual(
    lines.map(({ level, from, msg }) => [level, from, msg]),
    [
      ['warn', 'a library', '[WARN] no password for redis://user:[secret]@host: 7'],
      ['error', 'a library', 'boom'],
      ['warn', 'Node', 'too many listeners'],
    ],
  );
});

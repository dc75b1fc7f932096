import assert from 'node:assert/strict';
import { closeSync, existsSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import { temporaryFolder } from '@sentinel/test-kit';
import { lastWords, MAX_LOG_BYTES, ServiceLog } from './service-log.js';

const record = (level: string, msg: string): string => JSON.stringify({ level, msg });

test('the tail is that of the last run, not of the one before', async () => {
  await using temporary = await temporaryFolder();
  const log = new ServiceLog(temporary.join('engine.log'));
  for (const line of ['first run\n', 'second run\nsays two\n']) {
    const fd = log.open();
    writeSync(fd, line);
    closeSync(fd);
  }
  assert.deepEqual(log.tail(10), ['second run', 'says two']);
  assert.deepEqual(log.tail(1), ['says two']);
});

test('a log that grew too long becomes FILE.1 and starts anew', async () => {
  await using temporary = await temporaryFolder();
  const log = new ServiceLog(temporary.join('engine.log'));
  writeFileSync(log.file, 'x');
  log.trim();
  assert.equal(existsSync(`${log.file}.1`), false);
  truncateSync(log.file, MAX_LOG_BYTES + 1);
  log.trim();
  assert.deepEqual([statSync(log.file).size, statSync(`${log.file}.1`).size], [0, MAX_LOG_BYTES + 1]);
});

test('nothing was ever written', () => {
  assert.deepEqual(new ServiceLog('/nowhere/engine.log').tail(3), []);
});

test('last words: the last error, else what is no record', () => {
  assert.equal(lastWords([record('info', 'a'), record('fatal', 'no disk'), record('info', 'stopped')]), 'no disk');
  assert.equal(lastWords([record('info', 'a'), record('info', 'ready')]), '');
  assert.equal(
    lastWords(['sentinel.yaml:3: unknown key', '  did you mean x?']),
    'sentinel.yaml:3: unknown key\n  did you mean x?',
  );
  assert.equal(lastWords(['{ broken', 'text']), '{ broken\ntext');
  assert.equal(lastWords([]), '');
});

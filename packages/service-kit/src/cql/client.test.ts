import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startProcess, testServer } from '@sentinel/test-kit';

const OUTAGES = fileURLToPath(new URL('../testing/outages.js', import.meta.url));
/** The driver's timers that end by themselves take up to 10 s. */
const END_MS = 40_000;
const server = await testServer('cassandra');

it('a client whose links were cut looks for a node once and keeps one connection, and has nothing once it is closed', {
  skip: server.skip,
}, async () => {
  await using child = await startProcess({ command: [process.execPath, OUTAGES, server.url] });
  await child.printed(/are open/, 120_000);
  assert.match(child.output, /^3 searches found a node in 3 outages, 1 connections are open/);
  await child.printed(/closed/);
  const late = setTimeout(() => void child.kill('SIGKILL'), END_MS);
  assert.deepEqual(await child.exited, { code: 0, signal: null }, 'it had to be killed: something was left open');
  clearTimeout(late);
});

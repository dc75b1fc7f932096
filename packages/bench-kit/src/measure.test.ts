import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { processCpuMilliseconds } from './cpu.js';
import { cpuMicroseconds, median } from './measure.js';
import { residentMegabytes } from './memory.js';

const TRIES = 3;

test('median of odd, even and no values', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(Number.isNaN(median([])), true);
});

test('CPU time counts work, not waiting', async () => {
  const waiting: number[] = [];
  // What the threads of V8 do in the background counts too: the best of some tries has the least of it.
  for (let tries = 0; tries < TRIES; tries += 1) waiting.push(await cpuMicroseconds(1, async () => await sleep(200)));
  assert.ok(Math.min(...waiting) < 100_000, `${waiting} us`);
  const working = await cpuMicroseconds(1, () => {
    const until = process.cpuUsage().user + 50_000;
    while (process.cpuUsage().user < until);
  });
  assert.ok(working >= 50_000, `${working} us`);
});

test('resident memory of this process, and of one that has ended', async () => {
  const megabytes = await residentMegabytes(process.pid);
  assert.ok(Math.abs(megabytes - process.memoryUsage.rss() / 2 ** 20) < 20, `${megabytes} MB`);
  await assert.rejects(residentMegabytes(2 ** 22 + 1), /ENOENT/);
});

test('CPU time of a process is what it says itself', async () => {
  const { user, system } = process.cpuUsage();
  const milliseconds = await processCpuMilliseconds(process.pid);
  assert.ok(Math.abs(milliseconds - (user + system) / 1000) < 100, `${milliseconds} ms`);
  await assert.rejects(processCpuMilliseconds(2 ** 22 + 1), /ENOENT/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { processCpuMilliseconds } from './cpu.js';
import { cpuMicroseconds, median } from './measure.js';
import { residentMegabytes } from './memory.js';

test('median of odd, even and no values', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(Number.isNaN(median([])), true);
});

test('CPU time counts work, not waiting', async () => {
  const waiting = await cpuMicroseconds(1, () => new Promise((resolve) => setTimeout(resolve, 200)));
  assert.ok(waiting < 100_000, `${waiting} us`);
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

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { freePort } from './free-port.js';
import { startProcess } from './start-process.js';

/** Of the 12,000 there are: by chance alone two of so many are the same, with a probability of all but 1. */
const MANY = 800;

test('a free port can be listened on at once, and lies below the ports of outgoing connections', async () => {
  const port = await freePort();
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  server.close();
  assert.ok(port < 32_768);
});

test('no port is given twice, neither in this process nor in another one', async () => {
  const module = new URL('./free-port.js', import.meta.url).href;
  const script = `import { freePort } from '${module}';
    const ports = [];
    while (ports.length < ${MANY}) ports.push(await freePort());
    console.log(JSON.stringify(ports) + ' are given');
    setInterval(() => undefined, 1000);`;
  await using other = await startProcess({ command: [process.execPath, '--input-type=module', '--eval', script] });
  const given: number[] = [];
  while (given.length < MANY) given.push(await freePort());
  const [theirs = ''] = (await other.printed(/\[.*\](?= are given)/)) ?? [];
  const all = [...given, ...(JSON.parse(theirs) as number[])];
  assert.equal(new Set(all).size, 2 * MANY);
});

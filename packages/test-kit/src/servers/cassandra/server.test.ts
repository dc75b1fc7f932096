import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { it } from 'node:test';
import { startProcess } from '../../start-process.js';
import { testServer } from '../test-server.js';

const server = await testServer('cassandra');

/** OPTIONS of the CQL protocol, version 4. @returns the operation of the answer */
async function ask(port: number): Promise<number | undefined> {
  const socket = connect(port, '127.0.0.1');
  try {
    socket.write(Buffer.from([0x04, 0, 0, 0, 0x05, 0, 0, 0, 0]));
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    return bytes[4];
  } finally {
    socket.destroy();
  }
}

const SUPPORTED = 0x06;

it('a node answers its clients', { skip: server.skip }, async () => {
  const { port, pathname } = new URL(server.url);
  assert.equal(await ask(Number(port)), SUPPORTED);
  assert.equal(pathname, '/datacenter1');
});

it('a machine without Java or Maven is told what to install', async () => {
  const module = new URL('server.js', import.meta.url).href;
  const script = `import { CassandraServer } from ${JSON.stringify(module)}; await CassandraServer.start('/nonexistent');`;
  const command = [process.execPath, '--input-type=module', '-e', script] as [string, ...string[]];
  await using asked = await startProcess({ command, env: { PATH: '/nonexistent' } });
  assert.equal((await asked.exited).code, 1);
  assert.match(asked.output, /no Java on the PATH.*openjdk-17-jre-headless/);
});

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { callUnary } from '@sentinel/service-kit/grpc-client';
import { clientOf, wholeTrail } from '../testing/wire.js';
import { WriterProcess } from '../testing/writer-process.js';

it('hammer loads a ledger only where that is meant, checks what it is told, and marks what it writes', async () => {
  await using writer = new WriterProcess();
  const { grpc } = await writer.start();
  const args = ['hammer', '--endpoint', grpc, '--rate', '400', '--duration', '2', '--producers', '2'];
  const refused = await writer.run(...args);
  assert.equal(refused.code, 2, refused.output);
  assert.match(refused.output, /nobody can remove.*--write-test-entries/);
  const { code, output } = await writer.run(...args, '--write-test-entries');
  assert.equal(code, 0, output);
  assert.match(output, /^\d+ test entries acknowledged in .* p50 \S+ ms, p99 \S+ ms\nrefusals: .*\nok: /m);
  const client = clientOf(grpc);
  const trail = await wholeTrail(client);
  const entries = trail.filter(({ producer }) => producer !== 'ledger');
  assert.ok(entries.every(({ producer }) => producer.startsWith('hammer/')));
  assert.ok(entries.length > 0 && entries.every(({ injected }) => injected));
  const { checkpoint } = await callUnary(client, client.getCheckpoint, {});
  assert.equal(Number(checkpoint.split('\n')[1]), trail.length);
  client.close();
});

it('hammer says which promise a ledger breaks', async () => {
  await using writer = new WriterProcess();
  await using other = new WriterProcess();
  const { grpc } = await writer.start();
  const { code, output } = await other.run('hammer', '--endpoint', grpc, '--duration', '1', '--write-test-entries');
  assert.equal(code, 1, output);
  assert.match(output, /BROKEN: \d+ promises\n {2}.*sentinel\/test/);
});

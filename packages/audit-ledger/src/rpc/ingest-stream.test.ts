import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { AuditServiceClient, IngestStreamResponse } from '@sentinel/contracts/sentinel/v1/audit.js';
import { eventually } from '@sentinel/test-kit';
import { clientOf, eventOf } from '../testing/wire.js';
import { WriterProcess } from '../testing/writer-process.js';

/** Far more than what may be under way and what HTTP/2 buffers between the two. */
const REQUESTS = 20_000;
const STALLED_MS = 500;
const TRIES = 3;

let writer: WriterProcess;
let client: AuditServiceClient;
before(async () => {
  writer = new WriterProcess();
  client = clientOf((await writer.start()).grpc);
});
after(async () => {
  client.close();
  await writer[Symbol.asyncDispose]();
});

/**
 * A stream whose client writes, and reads no answer but the first; resolves when nothing moves any more. Before a first reading the library
 * of the client takes whatever comes: see Http2SubchannelCall of @grpc/grpc-js, where only a message that was asked for pauses its stream.
 */
async function unread() {
  const call = client.ingestStream();
  const first = new Promise<void>((resolve) => {
    call.once('data', () => {
      call.pause();
      resolve();
    });
  });
  let sent = 0;
  const batch = { producer: 'stream/1', producerEpoch: 0n, firstSequence: 0n, events: [eventOf(1)] };
  for (let i = 0; i < REQUESTS; i += 1) call.write({ batch }, () => (sent += 1));
  // A ledger whose first commit takes long moves nothing either: until then nobody has stopped reading.
  await first;
  for (let before = -1; before !== sent; await delay(STALLED_MS)) before = sent;
  return { call, sent: () => sent };
}

describe('a stream whose client does not read', () => {
  it('is not read from either, and goes on when the client does', async () => {
    const { call, sent } = await unread();
    assert.ok(sent() < REQUESTS, `${sent()} requests were taken from it`);
    const answers: IngestStreamResponse[] = [];
    call.on('data', (answer: IngestStreamResponse) => answers.push(answer));
    call.resume();
    call.end();
    await once(call, 'end');
    assert.equal(answers.length, REQUESTS - 1, 'and the first');
    assert.ok(answers.every(({ result }) => result?.seqs[0] === 1n));
  });

  it('does not keep the ledger from stopping', async () => {
    let end = await stoppedBesideUnread();
    // A machine that stands still for some seconds may make one say so too; a stream that keeps it does each time.
    for (let tries = 1; end !== 'stopped' && tries < TRIES; tries += 1) {
      client.close();
      client = clientOf((await writer.start()).grpc);
      end = await stoppedBesideUnread();
    }
    assert.equal(end, 'stopped');
  });
});

/** @returns how the ledger says that it ended */
async function stoppedBesideUnread(): Promise<string | undefined> {
  const { call } = await unread();
  call.on('error', () => undefined);
  const before = writer.output.length;
  assert.equal(await writer.signal('SIGTERM'), 0);
  const said = () => /"msg":"(stopped|drain took too long)/.exec(writer.output.slice(before));
  return (await eventually(said, { what: 'it says how it ended' }))[1];
}

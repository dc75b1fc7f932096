import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { IngestStreamRequest } from '@sentinel/contracts/sentinel/v1/audit.js';
import { silentLogger } from '@sentinel/service-kit/logging';
import { OverloadedError } from '../commit/ledger.js';
import type { EventRequest } from '../ingest/deduplicate.js';
import { eventOf } from '../testing/wire.js';
import type { WriterContext } from './context.js';
import { IngestStreams } from './ingest-stream.js';

it('nothing of a stream is taken behind a refused request', async () => {
  const taken: number[] = [];
  const ledger = {
    assertRoom: ({ numbering }: EventRequest) => {
      if (numbering?.firstSequence === 2) throw new OverloadedError('full');
    },
    ingest: ({ numbering }: EventRequest) => {
      taken.push(numbering?.firstSequence ?? 0);
      return Promise.resolve({ seqs: [1], checkpoint: { note: '' } });
    },
  };
  const answers: unknown[] = [];
  const errors: { details: string }[] = [];
  const call = Object.assign(new EventEmitter(), {
    write: (answer: unknown) => answers.push(answer) > 0,
    isPaused: () => false,
  });
  call.on('error', (error: { details: string }) => errors.push(error));
  const context = { ledger, log: silentLogger() } as unknown as WriterContext;
  new IngestStreams(context).handle(call as unknown as Parameters<IngestStreams['handle']>[0]);
  for (const n of [1, 2, 3]) {
    const batch = { producer: 'p', producerEpoch: 1n, firstSequence: BigInt(n), events: [eventOf(n)] };
    call.emit('data', Buffer.from(IngestStreamRequest.encode({ batch }).finish()));
  }
  await delay(20);
  assert.deepEqual(taken, [1]);
  assert.equal(answers.length, 1);
  assert.match(errors[0]?.details ?? '', /more to write than it can/);
});

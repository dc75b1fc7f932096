/** kill -9 of a real writer under load: nothing acknowledged is lost, nothing is there twice. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type AuditServiceClient, AuditType } from '@sentinel/contracts/sentinel/v1/audit.js';
import { callUnary } from '@sentinel/service-kit/grpc-client';
import { eventually } from '@sentinel/test-kit';
import { openCheckpoint } from './note/checkpoint.js';
import { parseVerifierKey } from './note/keys.js';
import { BACKENDS } from './testing/backends.js';
import { clientOf, commitEvents, eventOf, wholeTrail } from './testing/wire.js';
import { WriterProcess } from './testing/writer-process.js';

const KILLS = { file: 24, scylla: 12 };
const SENDERS = 4;
const EVENTS_PER_REQUEST = 20;
const RETRY_MS = 20;

/** Sends its own events in order until told to stop; a request without an answer is sent again, to this life or the next one. */
class Sender {
  readonly acked = new Map<number, bigint>();
  #next: number;

  constructor(first: number) {
    this.#next = first;
  }

  async run(address: string, isOver: () => boolean): Promise<void> {
    const client = clientOf(address);
    // An error is no end: the writer was killed, or was just slow.
    while (!isOver()) await this.#send(client).catch(() => delay(RETRY_MS));
    client.close();
  }

  async #send(client: AuditServiceClient): Promise<void> {
    const numbers = Array.from({ length: EVENTS_PER_REQUEST }, (_, i) => this.#next + i * SENDERS);
    const request = {
      producer: 'crash',
      producerEpoch: 0n,
      firstSequence: 0n,
      events: numbers.map((n) => eventOf(n, 150)),
    };
    const { seqs } = await commitEvents(client, request);
    numbers.forEach((n, i) => {
      this.acked.set(n, seqs[i] ?? -1n);
    });
    this.#next += EVENTS_PER_REQUEST * SENDERS;
  }
}

for (const kind of BACKENDS) {
  const kills = KILLS[kind.name];
  it(`${kills} kills under load lose and double nothing, in ${kind.name}`, {
    skip: kind.skip,
    timeout: 400_000,
  }, async () => {
    const place = kind.make();
    await using writer = new WriterProcess({ ...place.settings });
    const senders = Array.from({ length: SENDERS }, (_, i) => new Sender(i));
    const acked = (): number => senders.reduce((sum, sender) => sum + sender.acked.size, 0);
    for (let kill = 0; kill < kills; kill += 1) {
      const { grpc } = await writer.start();
      let over = false;
      const before = acked();
      const runs = senders.map((sender) => sender.run(grpc, () => over));
      // A life that acknowledges nothing shows nothing.
      await eventually(() => (acked() > before ? true : null), { what: 'the writer acknowledges' });
      await delay(Math.random() * 300);
      await writer.signal('SIGKILL');
      over = true;
      await Promise.all(runs);
    }

    const { grpc } = await writer.start();
    const client = clientOf(grpc);
    const seqOf = new Map<number, bigint>();
    let size = 0;
    for (const { seq, detail, type } of await wholeTrail(client)) {
      size += 1;
      if (type === AuditType.SYSTEM) continue;
      const { n } = JSON.parse(Buffer.from(detail).toString()) as { n: number };
      assert.ok(!seqOf.has(n), `event ${n} is in the log twice`);
      seqOf.set(n, seq);
    }
    for (const sender of senders)
      for (const [n, seq] of sender.acked) assert.equal(seqOf.get(n), seq, `acknowledged event ${n}`);
    const { checkpoint } = await callUnary(client, client.getCheckpoint, {});
    client.close();
    assert.equal(openCheckpoint(checkpoint, parseVerifierKey(writer.verifierKey)).size, size);
    assert.equal(await writer.signal('SIGTERM'), 0);
    const verified = await writer.run('verify', '--full');
    assert.equal(verified.code, 0, verified.output);
    await place.remove();
  });
}

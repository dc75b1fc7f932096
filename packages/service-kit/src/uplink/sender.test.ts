import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ImpossibleAck, Sender, WINDOW_RECORDS } from './sender.js';

/** Records 1 to `last`, of which those that were acknowledged are gone. */
function source(last: bigint) {
  const state = { lastSequence: last, first: 1n };
  return {
    state,
    get lastSequence() {
      return state.lastSequence;
    },
    read: async (sequence: bigint) => {
      if (sequence < state.first) throw new RangeError(`no record ${sequence}`);
      return Buffer.from(String(sequence));
    },
    acknowledge: async (_: bigint, archived: bigint) => {
      if (archived >= state.first) state.first = archived + 1n;
    },
  };
}

function sender(records: ReturnType<typeof source>, committed = 0n) {
  const sent: bigint[] = [];
  const already = { committedThrough: committed, archivedThrough: 0n };
  const seal = (sequence: bigint) => sequence;
  const send = async (sequence: bigint) => sent.push(sequence) > 0;
  return { sent, sender: new Sender(records, already, seal, send) };
}

const ack = (through: bigint) => ({ committedThrough: through, archivedThrough: through });

test('the window bounds what is not acknowledged, and an acknowledgement moves it on', async () => {
  const records = source(BigInt(WINDOW_RECORDS) + 10n);
  const { sent, sender: to } = sender(records);
  await to.pump();
  assert.equal(sent.length, WINDOW_RECORDS);
  await to.acknowledged(ack(4n));
  assert.equal(sent.at(-1), BigInt(WINDOW_RECORDS) + 4n);
  assert.equal(new Set(sent).size, sent.length);
});

test('an acknowledgement beyond what this connection sent skips what an earlier one had sent', async () => {
  const records = source(1_000n);
  const { sent, sender: to } = sender(records, 1_000n);
  await to.pump();
  await to.acknowledged(ack(900n));
  assert.deepEqual(
    sent.slice(WINDOW_RECORDS),
    Array.from({ length: 100 }, (_, k) => 901n + BigInt(k)),
  );
});

test('an acknowledgement of what nobody sent is refused', async () => {
  const { sender: to } = sender(source(3n));
  await to.pump();
  await assert.rejects(to.acknowledged(ack(4n)), ImpossibleAck);
});

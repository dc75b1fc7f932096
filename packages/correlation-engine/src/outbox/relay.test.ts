import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from '@sentinel/test-kit';
import { TestAgent } from '../testing/agent.js';
import { TestEngine } from '../testing/engine.js';
import { TestLedger } from '../testing/ledger.js';

describe('the way to the ledger', () => {
  let ledger: TestLedger;
  let engine: TestEngine;
  before(async () => {
    ledger = await new TestLedger().start();
    engine = await new TestEngine({ audit_ledger_endpoint: ledger.address }).start();
  });
  after(async () => {
    await engine.remove();
    await ledger.stop();
  });

  const register = async (node: string): Promise<void> => {
    const agent = new TestAgent(engine.grpc, { node });
    await agent.connect();
    agent.close();
  };
  const until = (condition: () => boolean | Promise<boolean>): Promise<unknown> =>
    eventually(condition, { what: String(condition) });
  const pending = async (): Promise<number> => (await engine.sql('select event_id from outbox')).length;
  const registrations = (): number => ledger.events.filter((event) => event === 'agent_registered').length;

  it('delivers in order, numbered without a gap', async () => {
    for (let i = 0; i < 5; i += 1) await register(`ordered-${i}`);
    await until(async () => registrations() === 5 && (await pending()) === 0);
    const nodes = ledger.entries.map(
      (entry) => (JSON.parse(Buffer.from(entry.detail).toString()) as { node?: string }).node,
    );
    assert.deepEqual(
      nodes.filter((node) => node?.startsWith('ordered')),
      ['ordered-0', 'ordered-1', 'ordered-2', 'ordered-3', 'ordered-4'],
    );
    let next = 1n;
    for (const request of ledger.requests) {
      assert.equal(request.firstSequence, next);
      next += BigInt(request.events.length);
    }
  });

  it('repeats a request whose answer was lost, with the same numbers', async () => {
    ledger.loseAnswers = 2;
    const before = ledger.requests.length;
    await register('lost-answer');
    await until(async () => (await pending()) === 0);
    const tries = ledger.requests.slice(before);
    assert.equal(tries.length, 3);
    for (const request of tries)
      assert.deepEqual(
        [request.producer, request.producerEpoch, request.firstSequence],
        [tries[0]?.producer, tries[0]?.producerEpoch, tries[0]?.firstSequence],
      );
    assert.equal(
      ledger.events.length,
      new Set(ledger.entries.map((entry) => Buffer.from(entry.eventId).toString('hex'))).size,
    );
  });

  it('waits while the ledger is away, and catches up', async () => {
    await ledger.stop();
    await register('while-away-1');
    await register('while-away-2');
    await until(async () => (await engine.metric('sentinel_outbox_pending')) === 2);
    await until(async () => (await engine.metric('sentinel_outbox_lag_seconds')) > 0.5);
    const before = registrations();
    await ledger.start();
    await until(async () => (await pending()) === 0);
    assert.equal(registrations(), before + 2);
    await until(async () => (await engine.metric('sentinel_outbox_pending')) === 0);
    assert.equal(await engine.metric('sentinel_outbox_lag_seconds'), 0);
  });

  it('goes on after a restart of the engine, under a new epoch', async () => {
    const last = ledger.requests.at(-1);
    await engine.stop();
    await engine.start();
    await register('after-restart');
    await until(async () => (await pending()) === 0);
    const next = ledger.requests.at(-1);
    assert.equal(next?.producer, last?.producer);
    assert.equal(next?.producerEpoch, (last?.producerEpoch ?? 0n) + 1n);
  });

  it('knows after a restart what waited before it, while the ledger is away', async () => {
    await ledger.stop();
    await register('waits-1');
    await register('waits-2');
    const stopped = Date.now();
    await engine.stop();
    await engine.start();
    await until(async () => (await engine.metric('sentinel_outbox_pending')) === (await pending()));
    // Before it is read: the answer takes its time, which the lag knows nothing of.
    const asked = Date.now();
    const lag = await engine.metric('sentinel_outbox_lag_seconds');
    assert.ok(lag >= (asked - stopped) / 1000, `${lag} s, counted from the commit and not from the restart`);
    assert.ok((await pending()) >= 2);
    await ledger.start();
    await until(async () => (await pending()) === 0);
  });

  it('believes no ledger that has become shorter', async () => {
    ledger.claimedSize = 1;
    await register('rolled-back');
    await until(() => engine.lines.some(({ reason }) => String(reason).includes('the ledger has 1 entries now')));
    assert.ok((await pending()) > 0);
    ledger.claimedSize = null;
    await until(async () => (await pending()) === 0);
  });

  it('believes no ledger that was forked, keeps both checkpoints, loses nothing, and goes on once it is the same again', async () => {
    ledger.forked = true;
    await register('forked');
    await until(async () => (await engine.metric('sentinel_ledger_consistent')) === 0);
    assert.ok((await pending()) > 0);
    await until(() =>
      engine.lines.some(({ message }) => /^CRITICAL: the ledger (cannot prove|has another)/.test(String(message))),
    );
    const kept = await engine.sql('select what from ledger_evidence order by id');
    assert.match(String(kept.at(-1)?.['what']), /cannot prove that its \d+ entries begin with|has another content/);
    ledger.forked = false;
    await until(async () => (await pending()) === 0);
    assert.equal(await engine.metric('sentinel_ledger_consistent'), 1);
    assert.equal(
      registrations(),
      new Set(ledger.entries.map(({ eventId }) => Buffer.from(eventId).toString('hex'))).size,
    );
  });
});

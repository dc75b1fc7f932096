/** An operator goes on with a ledger that was rolled back; whatever it had taken is sent once more or named. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AcceptLedgerRollbackResponse,
  QuarantineServiceClient,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { callUnary, createClient } from '@sentinel/service-kit/grpc-client';
import { TestAgent } from '../testing/agent.js';
import { OPERATOR_TOKEN, TestEngine } from '../testing/engine.js';
import { TestLedger } from '../testing/ledger.js';

describe('a rollback of the ledger', () => {
  let ledger: TestLedger;
  let engine: TestEngine;
  before(async () => {
    ledger = await new TestLedger().start();
    engine = await new TestEngine({ audit_ledger_endpoint: ledger.address }).start();
    for (let i = 0; i < 5; i += 1) await register(`first-${i}`);
    await delivered();
  });
  after(async () => {
    await engine.remove();
    await ledger.stop();
  });

  async function register(node: string): Promise<void> {
    const agent = new TestAgent(engine.grpc, { node });
    await agent.connect();
    agent.close();
  }

  async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
    for (let i = 0; i < 800; i += 1) {
      if (await condition()) return;
      await sleep(20);
    }
    assert.fail('waited in vain');
  }

  const pending = async (): Promise<number> => (await engine.sql('select event_id from outbox')).length;
  const delivered = () => until(async () => (await pending()) === 0);

  async function accept(token = OPERATOR_TOKEN): Promise<AcceptLedgerRollbackResponse> {
    const client = createClient(QuarantineServiceClient, { address: engine.grpc, tls: null, token });
    try {
      return await callUnary(client, client.acceptLedgerRollback, { reason: 'disk restored, case 7' });
    } finally {
      client.close();
    }
  }

  const refusal = async (token?: string): Promise<string> =>
    await accept(token).then(
      () => assert.fail('was not refused'),
      (error: unknown) => SentinelError.from(error).code,
    );
  const nodes = (): string[] =>
    ledger.entries.flatMap(
      ({ detail }) => (JSON.parse(Buffer.from(detail).toString()) as { node?: string }).node ?? [],
    );
  const remarks = async (): Promise<string> => await (await fetch(`http://${engine.http}/health`)).text();

  it('is nothing to accept while the ledger holds what it showed, and nothing for readers', async () => {
    assert.equal(await refusal(), 'FAILED_PRECONDITION');
    assert.equal(await refusal(''), 'UNAUTHENTICATED');
  });

  it('holds the entries back, says what to do, and is over once it is accepted: nothing is missing, nothing is double', async () => {
    const before = ledger.entries.length;
    ledger.rollBack(2);
    await register('meanwhile');
    await until(async () => /had \d+.*accept-rollback/.test(await remarks()));
    await engine.stop();
    await engine.start();
    assert.ok((await pending()) > 0);
    await until(async () => /accept-rollback/.test(await remarks()));

    const { knownEntries, lostFrom, sentAgain, notKeptUntil } = await accept();
    assert.deepEqual(
      [Number(knownEntries), Number(lostFrom), sentAgain, Number(notKeptUntil)],
      [before, 2, before - 2, 0],
    );
    await delivered();
    await until(async () => !/accept-rollback/.test(await remarks()));
    assert.equal(await engine.metric('sentinel_ledger_consistent'), 1);
    const registered = nodes();
    for (const node of [...Array.from({ length: 5 }, (_, i) => `first-${i}`), 'meanwhile'])
      assert.ok(registered.includes(node), node);
    const ids = ledger.entries.map(({ eventId }) => Buffer.from(eventId).toString('hex'));
    assert.equal(new Set(ids).size, ids.length);
    const told = ledger.entries.find((entry) => Buffer.from(entry.detail).includes('ledger_rollback_accepted'));
    const {
      actor,
      reason,
      lost_from: from,
    } = JSON.parse(Buffer.from(told?.detail ?? []).toString()) as {
      [name: string]: unknown;
    };
    assert.deepEqual([typeof actor, reason, from], ['string', 'disk restored, case 7', 2]);
  });

  it('names what is not kept any more', async () => {
    const [oldest] = await engine.sql('delete from sent where seq < 6 returning seq');
    assert.ok(oldest !== undefined);
    const known = ledger.entries.length;
    await engine.sql(`insert into transitions (event_id, commit_seq, device_id, time_us, from_state, to_state, reason, actor,
      injected, ledger_seq) values ('one', 1, 'GPU-1', 5, 'HEALTHY', 'SUSPECT', '', '', false, 4)`);
    ledger.rollBack(2);
    const { lostFrom, notKeptUntil, knownEntries, lostDecisions } = await accept();
    assert.deepEqual([Number(knownEntries), Number(lostFrom), Number(notKeptUntil)], [known, 2, 6]);
    assert.deepEqual(lostDecisions, [{ gpu: 'GPU-1', seq: 4n, timeUs: 5n }]);
    assert.deepEqual(await engine.sql(`select ledger_seq from transitions where event_id = 'one'`), [
      { ledger_seq: null },
    ]);
    await delivered();
    assert.ok(ledger.events.includes('ledger_rollback_accepted'));
  });
});

/** A ledger is put back to an old copy, as processes see it: the writer, the engine and whoever verifies. */
import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { sentinel } from '../harness/cli.js';
import { EngineSql } from '../harness/engine-sql.js';
import { auditTrail, detailOf } from '../harness/ledger-client.js';
import { Stack } from '../harness/stack.js';
import { until } from '../harness/until.js';

const SETTLED_MS = 60_000;
/** The folder of the log, and its second place beside it. */
const LOG = 'ledger';
const GUARD = 'ledger.guard';

describe('a ledger that is put back to an old copy', { timeout: 600_000 }, () => {
  let stack: Stack;
  let sql: EngineSql;

  before(async () => {
    stack = await Stack.start();
    sql = await EngineSql.open(stack);
    await registered('first');
    await stack.ledger.stop();
    keep('old');
    await stack.ledger.start();
    await registered('second');
  });
  after(async () => {
    await sql?.close();
    await stack?.stop();
  });

  const copyOf = (name: string, part: string): string => join(stack.folder, `copy-${name}`, part);
  const keep = (name: string): void => {
    for (const part of [LOG, GUARD]) cpSync(join(stack.folder, part), copyOf(name, part), { recursive: true });
  };
  const putBack = (name: string, ...parts: string[]): void => {
    for (const part of parts) {
      rmSync(join(stack.folder, part), { recursive: true, force: true });
      cpSync(copyOf(name, part), join(stack.folder, part), { recursive: true });
    }
  };
  const settled = (): Promise<unknown> =>
    until('the outbox is empty', SETTLED_MS, async () => (await sql.outboxPending()) === 0);
  const registered = async (node: string): Promise<void> => {
    await stack.agent({ node }).start();
    await until(`${node} is in the ledger`, SETTLED_MS, async () => (await nodes()).includes(node));
    await settled();
  };
  const nodes = async (): Promise<unknown[]> => (await auditTrail(stack)).map((entry) => detailOf(entry).node);
  const health = async (): Promise<string> =>
    await fetch(`http://${stack.address.engine.http}/health`).then((answer) => answer.text());

  test('without its second place is refused by the writer, in words', async () => {
    assert.equal((await sentinel(stack, 'audit', 'verify')).code, 0);
    await stack.ledger.kill();
    putBack('old', LOG);
    stack.ledger.launch();
    const { code } = await stack.ledger.ended();
    assert.notEqual(code, 0);
    assert.match(stack.ledger.tail(), /went back in time: it has \d+ entries, a checkpoint of it has \d+/);
  });

  test('with its second place too is found by the engine, also an idle one, and by who verified before', async () => {
    putBack('old', LOG, GUARD);
    await stack.ledger.start();
    await until('the engine says so', SETTLED_MS, async () => /accept-rollback/.test(await health()));
    // A log as long again as the verifier knows it, as at the full hour, when nodes tell what they cover, was written anew.
    const { code, stdout, stderr } = await sentinel(stack, 'audit', 'verify');
    assert.equal(code, 1, stdout + stderr);
    assert.match(stdout + stderr, /went back|rolled back|fewer entries|older|history was rewritten/i);
    await stack.agent({ node: 'third' }).start();
    await until('its event is held back', SETTLED_MS, async () => (await sql.outboxPending()) > 0);
  });

  test('goes on where an operator accepts it: each event is there once, and so is the act', async () => {
    const { code, stdout, stderr } = await sentinel(stack, 'audit', 'accept-rollback', '--reason', 'disk restored');
    assert.equal(code, 0, stdout + stderr);
    await settled();
    for (const node of ['first', 'second', 'third']) assert.ok((await nodes()).includes(node), node);
    const trail = await auditTrail(stack);
    const ids = trail.map(({ eventId }) => Buffer.from(eventId).toString('hex'));
    assert.equal(new Set(ids).size, ids.length);
    const accepted = trail.map(detailOf).filter(({ event }) => event === 'ledger_rollback_accepted');
    assert.deepEqual(
      accepted.map(({ reason }) => reason),
      ['disk restored'],
    );
    const verified = await sentinel(stack, 'audit', 'verify');
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  });
});

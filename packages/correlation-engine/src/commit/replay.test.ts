import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '@sentinel/service-kit/logging';
import { apply, begin, type CoreRecord, emptyState, install, RunKind, saveState } from '../core.js';
import { decodeRecord } from '../ingest/envelope.js';
import { FileHistory } from '../store/history/file-history.js';
import { TestAgent } from '../testing/agent.js';
import { TestEngine } from '../testing/engine.js';

interface Logged {
  commitSeq: number;
  nowUs: number;
  record: CoreRecord;
}

const engine = new TestEngine({ allow_test_builds: true });
before(() => engine.start());
after(() => engine.remove());

/** The whole log: what came from spools is in the history, everything else in a table. */
async function readLog(devices: readonly string[]): Promise<Logged[]> {
  const rows = await engine.sql<{ commit_seq: string; now_us: string; body: CoreRecord }>('select * from records');
  const log = rows.map(
    (row): Logged => ({ commitSeq: Number(row.commit_seq), nowUs: Number(row.now_us), record: row.body }),
  );
  await engine.stop();
  const history = await FileHistory.open(join(engine.folder, 'history'), silentLogger());
  for (const device of devices) {
    for await (const { record } of history.read(device, 0, null)) {
      const { node, spoolId, sequence, commitSeq, nowUs, payload } = record;
      log.push({ commitSeq, nowUs, record: decodeRecord(payload, { node, spoolId }, sequence, true) });
    }
  }
  await history.close();
  await engine.start();
  return log.sort((a, b) => a.commitSeq - b.commitSeq);
}

it('the record log, replayed from empty, gives the state, the events and the transitions that were committed', async () => {
  const agents = ['one', 'two'].map((node) => new TestAgent(engine.grpc, { node, testBuild: node === 'two' }));
  for (const agent of agents) {
    await agent.connect();
    agent.batch([{}, { index: 1, fails: [{ sm: 1 }] }]);
    agent.sendAll(1n);
    await agent.until(() => agent.messages.some((message) => message.$case === 'directive'));
    const directive = agent.messages.find((message) => message.$case === 'directive');
    const id = directive?.$case === 'directive' ? directive.value.id : '';
    agent.report(id, 1);
    for (let i = 2; i < 40; i += 1) {
      agent.sendAll(
        agent.batch([
          { kind: RunKind.BURST, single: 1, index: i, directive: id, ...(i % 5 === 0 ? { fails: [{ sm: 1 }] } : {}) },
        ]),
      );
    }
    await agent.archived(BigInt(agent.payloads.length));
    agent.close();
  }
  await sleep(300);
  const log = await readLog(agents.map((agent) => agent.device));

  assert.deepEqual(
    log.map(({ commitSeq }) => commitSeq),
    log.map((_, i) => i + 1),
    'the log has no gap',
  );
  const [first] = log;
  assert.ok(first?.record.kind === 'config');
  const state = emptyState(first.record.config);
  const eventIds: string[] = [];
  const transitions: string[] = [];
  for (const { record, commitSeq, nowUs } of log) {
    const draft = begin(state);
    const effects = apply(draft, { commitSeq, nowUs }, record);
    install(draft);
    eventIds.push(...effects.outbox.map((event) => event.eventId));
    transitions.push(...effects.transitions.map((transition) => `${transition.eventId} ${transition.to}`));
  }

  const upTo = log.at(-1)?.commitSeq ?? 0;
  const stored = await engine.sql<{ event_id: string; to_state: string }>(
    'select * from transitions where commit_seq <= $1 order by commit_seq',
    [upTo],
  );
  assert.ok(transitions.length >= 4);
  assert.deepEqual(
    stored.map((row) => `${row.event_id} ${row.to_state}`),
    transitions,
  );
  const outbox = await engine.sql<{ event_id: string }>(
    'select event_id from outbox where commit_seq <= $1 order by commit_seq, ordinal',
    [upTo],
  );
  assert.deepEqual(
    outbox.map((row) => row.event_id),
    eventIds,
  );
  const devices = await engine.sql<{ body: unknown }>('select body from devices order by id');
  assert.equal(JSON.stringify(devices.map((row) => row.body)), JSON.stringify(saveState(state).devices));
});

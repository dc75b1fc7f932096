import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ProbeBatch } from '@sentinel/contracts/sentinel/v1/probe.js';
import {
  IssueDirectiveRequest_Action as Action,
  QuarantineServiceClient,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { callUnary, createClient } from '@sentinel/service-kit/grpc-client';
import { eventually } from '@sentinel/test-kit';
import { type Apply, apply, type CoreConfig, RunKind } from '../core.js';
import { posteriorOdds } from '../evidence/decision.js';
import { columns, GOLDEN } from '../evidence/testing/batches.js';
import { without } from '../lifecycle/testing/fleet.js';
import { TestAgent } from '../testing/agent.js';
import { OPERATOR_TOKEN, TestEngine } from '../testing/engine.js';
import type { ReplayReport } from './report.js';
import { replayOf } from './testing/run-replay.js';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));
/** Settings under which nothing is taken out. */
function blind(config: CoreConfig): CoreConfig {
  const attribution = { ...config.attribution, quarantine_odds: 1e300 };
  return {
    ...config,
    attribution,
    immediateQuarantineFailures: 1000,
    thresholds: { ...config.thresholds, quarantine: 0 },
  };
}

/** Traffic of the engine that is killed, in batches, and when that happens. */
const BATCHES = 60;
const KILLED_AFTER = 20n;

const FORGED_AT_MOST = 5;

/** One life of an installation: whatever may end an engine, or change what it decides by. */
describe('a log replays the same', () => {
  const engine = new TestEngine({ allow_test_builds: true });
  const agents = new Map<string, TestAgent>();
  let killed: ChildProcess | null = null;
  before(async () => {
    await engine.start();
  });
  after(async () => {
    killed?.kill('SIGKILL');
    for (const agent of agents.values()) agent.close();
    await engine.remove();
  });

  const same = async (): Promise<ReplayReport> => {
    const report = await replayOf(engine.folder);
    assert.equal(report.disagreement, null);
    return report;
  };
  const connected = async (node: string, serial = ''): Promise<TestAgent> => {
    const agent = new TestAgent(engine.grpc, { node, serial });
    await agent.connect();
    agents.set(node, agent);
    return agent;
  };
  const sent = async (agent: TestAgent, sequence: bigint): Promise<void> => {
    agent.sendAll(sequence);
    await agent.archived(sequence);
  };
  /** A scheduled run with this golden. */
  const golden = (agent: TestAgent, digest: number): bigint => {
    const batch = columns(Date.now() * 1000, agent.device, [{ epoch: 1_000 }]);
    const value = ProbeBatch.fromPartial({ ...batch, goldenDigest: [digest] } as unknown as ProbeBatch);
    return agent.payload({ $case: 'probeBatch', value });
  };
  const restart = async (): Promise<void> => {
    await engine.stop();
    await engine.start();
    for (const agent of agents.values()) await agent.connect(engine.grpc);
  };
  /** One wrong result, and one more in the burst. */
  const fails = async (agent: TestAgent): Promise<void> => {
    const seen = agent.messages.length;
    await sent(agent, agent.batch([{}, { index: 1, fails: [{ sm: 1 }] }]));
    const burst = () => agent.messages.slice(seen).find(({ $case }) => $case === 'directive');
    await agent.until(() => burst() !== undefined);
    const found = burst();
    const directive = found?.$case === 'directive' ? found.value.id : '';
    await sent(agent, agent.batch([{ kind: RunKind.BURST, single: 1, index: 2, directive, fails: [{ sm: 1 }] }]));
  };

  it('across a restart, which forgets what was in memory alone', async () => {
    for (const node of ['a', 'b', 'c', 'd']) await connected(node);
    const [a, b, c, d] = [...agents.values()] as [TestAgent, TestAgent, TestAgent, TestAgent];
    for (const agent of [a, b, c]) await sent(agent, golden(agent, GOLDEN));
    await restart();
    await sent(d, golden(d, GOLDEN + 1));
    assert.equal((await same()).compared.nodes, 4);
    const remembers: Apply = (draft, ctx, record) =>
      record.kind === 'resumed' ? apply(draft, ctx, { kind: 'timer' }) : apply(draft, ctx, record);
    const { disagreement } = await replayOf(engine.folder, { apply: remembers });
    assert.equal(disagreement?.what, 'device CPU-d', 'without forgetting it is outvoted, and its run covers nothing');
  });

  it('across other settings after SIGHUP, which act from their record on', async () => {
    const a = agents.get('a') as TestAgent;
    engine.reload({ mode: 'observe' });
    await fails(a);
    engine.reload({ mode: 'enforce', gates: { dwell_seconds: 0, deep_test_seconds: 0 } });
    await sent(a, a.batch([{ index: 9 }]));
    const states = await engine.sql<{ state: string }>(`select to_state as state from transitions order by commit_seq`);
    assert.deepEqual(
      states.map(({ state }) => state),
      ['SUSPECT', 'QUARANTINED'],
    );
    assert.equal((await same()).compared.transitions, 2);
  });

  it('over what telemetry shows, which is soft evidence', async () => {
    const c = agents.get('c') as TestAgent;
    for (const errors of [1, 2, 5]) {
      const sample = {
        deviceId: c.device,
        timeUs: BigInt(Date.now()) * 1000n,
        values: { memory_corrected_errors: errors },
      };
      const samples = [{ ...sample, texts: {}, partial: errors > 1 }];
      await sent(c, c.payload({ $case: 'telemetry', value: { samples } }));
    }
    await same();
    const [row] = await engine.sql<{ body: { soft: { events: number }[] } }>(
      `select body from devices where id = 'CPU-c'`,
    );
    assert.deepEqual(
      row?.body.soft.map(({ events }) => events),
      [2],
    );
  });

  it('after a kill -9 in the midst of traffic', async () => {
    for (const agent of agents.values()) agent.close();
    await engine.stop();
    const ready = join(engine.folder, 'ready.json');
    const argv = [MAIN, '--config', join(engine.folder, 'sentinel.yaml'), '--ready-file', ready];
    killed = spawn(process.execPath, argv, { stdio: 'ignore' });
    await eventually(() => existsSync(ready), { what: 'it is ready' });
    const { grpc } = JSON.parse(readFileSync(ready, 'utf8')) as { grpc: string };
    const b = agents.get('b') as TestAgent;
    await b.connect(grpc);
    const first = BigInt(b.payloads.length) + 1n;
    for (let i = 0; i < BATCHES; i += 1) b.batch([{ index: i }, i % 7 === 3 ? { index: i, fails: [{ sm: 2 }] } : {}]);
    b.sendAll(...Array.from({ length: BATCHES }, (_, i) => first + BigInt(i)));
    await b.committed(first + KILLED_AFTER);
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    rmSync(ready, { force: true });
    await engine.start();
    const { committedThrough } = await b.connect(engine.grpc);
    assert.ok(committedThrough >= first + KILLED_AFTER, 'what was acknowledged is there');
    b.sendAll(...b.payloads.flatMap((_, i) => (BigInt(i + 1) > b.ack.archivedThrough ? [BigInt(i + 1)] : [])));
    await b.archived(BigInt(b.payloads.length));
    const { compared } = await same();
    assert.ok((compared.observations ?? 0) >= 9);
    const [{ runs } = { runs: '' }] = await engine.sql<{ runs: string }>(
      `select runs from counters where device_id = 'CPU-b'`,
    );
    assert.equal(Number(runs), 1 + 2 * BATCHES, 'each once');
  });

  it('where other hardware took the place of a device, whose rows have another id since', async () => {
    const node = 'swapped';
    const before = await connected(node, 'S1');
    await fails(before);
    const client = createClient(QuarantineServiceClient, { address: engine.grpc, tls: null, token: OPERATOR_TOKEN });
    const order = {
      directiveId: 'o',
      gpu: before.device,
      action: Action.QUARANTINE,
      reason: 'r',
      requiresApproval: true,
    };
    await callUnary(client, client.issueDirective, { ...order, evidence: ['INC-1'] });
    client.close();
    before.close();
    const now = await connected(node, 'S2');
    await fails(now);
    now.close();
    for (const serial of ['S1', 'S2', 'S1', 'S2']) {
      const back = await connected(node, serial);
      await sent(back, back.batch([{ index: 1, fails: [{ sm: 1 }] }]));
      back.close();
    }
    const { compared } = await same();
    assert.equal(compared.proposals, 1);
    const ids = await engine.sql<{ id: string }>(`select distinct device_id as id from observations order by 1`);
    assert.ok(ids.some(({ id }) => id === 'CPU-swapped@S1') && ids.some(({ id }) => id === 'CPU-swapped'));
    const forge = (from: string, to: string) =>
      engine.sql(`update transitions set device_id = $2 where device_id = $1 and actor = ''`, [from, to]);
    await forge('CPU-swapped@S1', 'CPU-x');
    const { disagreement } = await replayOf(engine.folder);
    await forge('CPU-x', 'CPU-swapped@S1');
    assert.deepEqual(
      [disagreement?.path, disagreement?.stored, disagreement?.replayed],
      ['[0].device_id', '"CPU-x"', '"CPU-swapped"'],
    );
  });

  it('and what is changed behind the engine is found, in every table', async () => {
    await same();
    const text = (table: string, column: string, from: string, to: string) => [
      `update ${table} set ${column} = replace(${column}::text, '${from}', '${to}')::json`,
      `update ${table} set ${column} = replace(${column}::text, '${to}', '${from}')::json`,
    ];
    const longer = (table: string, column: string) => [
      `update ${table} set ${column} = ${column} || '!'`,
      // Of a row that came meanwhile nothing is taken away.
      `update ${table} set ${column} = left(${column}, -1) where ${column} like '%!'`,
    ];
    const forgeries: readonly (readonly [string[], RegExp, RegExp])[] = [
      [longer('observations', 'node'), /^observations of record \d+$/, /^\[0\]\.node$/],
      [longer('orders', 'reason'), /^orders of record \d+$/, /^\[0\]\.reason$/],
      [longer('fleet_directives', 'reason'), /^directives of record \d+$/, /^\[0\]\.reason$/],
      [longer('outbox', 'type'), /^events of record \d+$/, /^\[0\]\.type$/],
      [longer('proposals', 'reason'), /^proposal o$/, /^reason$/],
      [text('nodes', 'body', '"offsetUs"', '"offset"'), /^node a$/, /^offset/],
      [text('facts', 'body', '"automaticQ', '"automaticq'), /^facts fleet$/, /^automaticQuarantinesUs/],
      [
        ['update counters set runs = runs + 1', 'update counters set runs = runs - 1'],
        /^counters of CPU-a, family 1$/,
        /^runs$/,
      ],
      [
        [
          'update spools set committed_through = committed_through + 1 where committed_through > 0',
          'update spools set committed_through = committed_through - 1 where committed_through > 0',
        ],
        /^watermark of spool [0-9a-f]{32} of [a-z]+$/,
        /^\(value\)$/,
      ],
      [
        [`insert into trust_snapshots values (1, '{}')`, 'delete from trust_snapshots where taken_us = 1'],
        /^snapshot of 1$/,
        /^\(value\)$/,
      ],
    ];
    for (const [[forge = '', restore = ''], what, path] of forgeries) {
      let disagreement: ReplayReport['disagreement'] = null;
      // The engine runs on, and may write the row anew before it is read: then there was nothing to find.
      for (let turn = 0; turn < FORGED_AT_MOST && !disagreement; turn += 1) {
        await engine.sql(forge);
        ({ disagreement } = await replayOf(engine.folder));
        await engine.sql(restore);
      }
      assert.match(disagreement?.what ?? 'the same', what, forge);
      assert.match(disagreement?.path ?? '', path, forge);
    }
    await same();
  });

  it('and not under other rules: the first record that they decide otherwise is named, with the field', async () => {
    const rules: readonly (readonly [string, Apply, string, string, RegExp])[] = [
      [
        'a gate is missing',
        (draft, ctx, record) => apply(draft, ctx, record, posteriorOdds, without('locality')),
        'events',
        'SUSPECT',
        /^\[\d\]\.detail\.gates\[1\]/,
      ],
      [
        'no evidence suffices',
        (draft, ctx, record) =>
          apply(draft, ctx, record.kind === 'config' ? { ...record, config: blind(record.config) } : record),
        'transitions',
        'QUARANTINED',
        /^\[0\]$/,
      ],
    ];
    for (const [name, mutant, what, state, path] of rules) {
      const [first] = await engine.sql<{ seq: string }>(
        `select min(commit_seq) as seq from transitions where to_state = $1 and actor = ''`,
        [state],
      );
      const { disagreement } = await replayOf(engine.folder, { apply: mutant });
      assert.equal(disagreement?.what, `${what} of record ${first?.seq}`, name);
      assert.equal(disagreement.commitSeq, Number(first?.seq));
      assert.match(disagreement.path, path, name);
    }
  });
});

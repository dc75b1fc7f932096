import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  QuarantineServiceClient,
  ResolveIncidentRequest_Resolution as Resolution,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { callUnary, createClient } from '@sentinel/service-kit/grpc-client';
import { KEPT_UPDATES } from '../store/writer.js';
import { TestAgent } from '../testing/agent.js';
import { OPERATOR_TOKEN, TestEngine } from '../testing/engine.js';
import { EventReader } from '../testing/event-reader.js';
import { failTwice } from '../testing/fail-twice.js';

const RATE = { hour_min: 100, day_min: 100 };
const GATES = { dwell_small_seconds: 0, small_fleet_nodes: 100, deep_test_seconds: 0, rate_limit: RATE };

const quarantineOf = (device: string): string[] => [
  `state ${device} HEALTHY SUSPECT`,
  `state ${device} SUSPECT QUARANTINED`,
  `directive QUARANTINE ${device}`,
];

describe('live updates over HTTP', () => {
  const engine = new TestEngine({ gates: { ...GATES, breadth_nodes: 3 } });
  before(() => engine.start());
  after(() => engine.remove());

  const fail = async (node: string): Promise<string> => {
    const agent = new TestAgent(engine.grpc, { node });
    await agent.connect();
    await failTwice(agent);
    agent.close();
    return agent.device;
  };
  const resolve = async (incident: string, resolution: Resolution) => {
    const client = createClient(QuarantineServiceClient, { address: engine.grpc, tls: null, token: OPERATOR_TOKEN });
    await callUnary(client, client.resolveIncident, { incident, resolution, reason: 'a new driver' });
    client.close();
  };
  let first = '';

  it('a reader is told where it begins, and then what happens, in order and in plain fields', async () => {
    await using reader = await EventReader.open(engine.http);
    await reader.until('it begins', () => reader.seen.length === 1);
    first = reader.lastEventId;
    assert.match(first, /^[0-9a-f]{12}-\d+$/);
    const device = await fail('one');
    await reader.until('the quarantine', () => reader.seen.length === 4);
    assert.deepEqual(reader.lines, ['start', ...quarantineOf(device)]);
    const [, suspect, quarantined, directive] = reader.seen;
    assert.deepEqual(Object.keys(suspect?.data ?? {}).sort(), [
      'actor',
      'from',
      'gpu',
      'injected',
      'node',
      'reason',
      'time_us',
      'to',
    ]);
    assert.equal(suspect?.data['node'], 'one');
    // Only the last event of a transaction moves the reader's place.
    assert.equal(quarantined?.id, '');
    assert.notEqual(directive?.id, '');
    assert.equal(await engine.metric('sentinel_event_streams'), 1);
  });

  it('one that comes back with the id of its newest event is told what it missed, also by an engine that was restarted', async () => {
    await using reader = await EventReader.open(engine.http, first);
    await reader.until('the quarantine', () => reader.seen.length === 3);
    assert.deepEqual(reader.lines, quarantineOf('CPU-one'));
    const { lastEventId } = reader;
    await engine.stop();
    await reader.until('the stream ends with the engine', () => reader.ended !== null);
    await engine.start();
    const device = await fail('two');
    await using again = await EventReader.open(engine.http, lastEventId);
    await again.until('the second quarantine', () => again.seen.length === 3);
    assert.deepEqual(again.lines, quarantineOf(device));
  });

  it('incidents are opened, confirmed and released, live and for one that comes back', async () => {
    await using reader = await EventReader.open(engine.http);
    await reader.until('it begins', () => reader.seen.length === 1);
    const begin = reader.lastEventId;
    const incidents = (of: EventReader) => of.seen.filter(({ event }) => event === 'incident').map(({ data }) => data);
    await fail('three');
    await reader.until('the incident', () => incidents(reader).length === 1);
    const [opened] = incidents(reader);
    assert.deepEqual(
      [opened?.['change'], opened?.['pattern'], opened?.['family'], opened?.['actor']],
      ['opened', 'PROBE_OR_SOFTWARE', 'fma32', ''],
    );
    const id = String(opened?.['incident']);
    await resolve(id, Resolution.CONFIRM);
    await reader.until('its confirmation', () => incidents(reader).length === 2);
    await resolve(id, Resolution.RELEASE);
    await reader.until('its release', () => incidents(reader).length === 3);
    const changes = incidents(reader).map(({ change, actor, reason }) => [change, actor, reason]);
    assert.deepEqual(changes.slice(1), [
      ['confirmed', 'operator token', 'a new driver'],
      ['released', 'operator token', 'a new driver'],
    ]);
    await using again = await EventReader.open(engine.http, begin);
    await again.until('the same three', () => incidents(again).length === 3);
    assert.deepEqual(
      incidents(again).map(({ change, incident }) => [change, incident]),
      ['opened', 'confirmed', 'released'].map((change) => [change, id]),
    );
    await using late = await EventReader.open(engine.http, again.lastEventId);
    await fail('four');
    await late.until('what happens next', () => late.seen.length > 0);
    assert.deepEqual(incidents(late), [], 'nothing of before');
  });

  for (const [what, id] of [
    ['an id that is none', () => 'yesterday'],
    ['an id of another database', () => 'abcdef012345-1'],
    ['an id from before the database was restored from a backup', () => first.replace(/\d+$/, '999999999')],
  ] as const) {
    it(`${what} is answered with a reset`, async () => {
      await using reader = await EventReader.open(engine.http, id());
      await reader.until('the reset', () => reader.seen.length === 1);
      assert.match(`${reader.lines[0]} ${reader.seen[0]?.data['reason']}`, /^reset .*look at the whole fleet/);
      assert.match(reader.lastEventId, /^[0-9a-f]{12}-\d+$/);
    });
  }

  it('what was committed and not published reaches a reader all the same: an engine was killed between the two', async () => {
    await using reader = await EventReader.open(engine.http);
    await reader.until('it begins', () => reader.seen.length === 1);
    const agent = new TestAgent(engine.grpc, { node: 'six' });
    await agent.connect();
    agent.close();
    await engine.sql(
      `insert into live_updates select commit_seq, 0, '{"kind":"state","gpu":"GPU-9","from":"HEALTHY","to":"SUSPECT"}' from head`,
    );
    await reader.until('the transition', () => reader.seen.length === 2);
    assert.equal(reader.lines[1], 'state GPU-9 HEALTHY SUSPECT');
  });

  it('so many updates are kept; one that missed as many is answered with a reset', async () => {
    const count = async (): Promise<number> =>
      Number((await engine.sql<{ count: string }>('select count(*) from live_updates'))[0]?.count);
    const before = await count();
    await engine.sql(
      `insert into live_updates select 3, 100 + i, '{"kind":"state"}' from generate_series(1, ${KEPT_UPDATES}) i`,
    );
    await using long = await EventReader.open(engine.http, first);
    await long.until('the reset', () => long.seen.length === 1);
    assert.deepEqual(long.lines, ['reset']);
    assert.equal(await count(), before + KEPT_UPDATES);
    await fail('five');
    assert.ok((await count()) <= KEPT_UPDATES + 3, 'those that were kept, and what the newest transaction added');
  });

  it('a page of another origin gets nothing', async () => {
    const answer = await fetch(`http://${engine.http}/api/v1/events`, { headers: { origin: 'https://elsewhere' } });
    assert.equal(answer.status, 403);
  });
});

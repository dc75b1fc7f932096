import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { eventually } from '@sentinel/test-kit';
import type { LiveUpdates } from '../bus/live-updates.js';
import { MemoryBus } from '../bus/memory-bus.js';
import { BusLog } from '../bus/testing/bus-log.js';
import { EventReader } from '../testing/event-reader.js';
import { EventStreams, MAX_EVENT_STREAMS } from './event-streams.js';

const LONG = 'x'.repeat(100_000);

/** @param after the record before, unless something did not come through */
function update(commitSeq: number, reason = '', after = commitSeq - 1): LiveUpdates {
  const about = { id: `d${commitSeq}`, gpu: 'GPU-1', node: 'n', actor: '', injected: false, timeUs: 1 };
  return { after, commitSeq, updates: [{ kind: 'directive', action: 'QUARANTINE', reason, ...about }] };
}

describe('readers of live updates', () => {
  const log = { newest: 0, missed: null as LiveUpdates | null, away: false };
  const reader = {
    fleet: 'f',
    newest: async () => log.newest,
    head: async () => {
      if (log.away) throw new Error('no database');
      return 10;
    },
    since: async () => log.missed,
  };
  let ends: string[] = [];
  const bus = new MemoryBus(new BusLog());
  const streams = new EventStreams(bus, reader, { ended: (why) => ends.push(why) });
  const server = createServer((_, response) => {
    try {
      streams.open('')(response);
    } catch {
      response.writeHead(429).end();
    }
  });
  let address = '';
  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(async () => {
    await eventually(() => streams.size === 0, { what: 'the readers of before are gone' });
    ends = [];
    Object.assign(log, { newest: 0, missed: null, away: false });
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  /** Connects and never reads. */
  const idle = async (): Promise<Socket> => {
    const socket = connect(Number(address.split(':')[1]), '127.0.0.1', () =>
      socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'),
    );
    socket.pause();
    const before = streams.size;
    await eventually(() => streams.size > before, { what: 'it is connected' });
    return socket;
  };

  it('one that does not read is cut and counted; the others get everything', async () => {
    const slow = await idle();
    await using quick = await EventReader.open(address);
    await quick.until('it begins', () => quick.seen.length === 1);
    for (let i = 1; i <= 400; i += 1) {
      bus.publish(update(10 + i, LONG));
      if (i % 50 === 0) await quick.until('the next', () => quick.seen.length === i + 1);
    }
    await eventually(() => ends.includes('slow'), { what: 'it is cut' });
    assert.deepEqual([ends, streams.size], [['slow'], 1]);
    slow.destroy();
  });

  it('what was told already is not told again, and after a gap the database is asked', async () => {
    await using seen = await EventReader.open(address);
    await seen.until('it begins', () => seen.seen.length === 1);
    for (const seq of [9, 10, 11, 11, 12]) bus.publish(update(seq));
    await seen.until('two events', () => seen.seen.length === 3);
    Object.assign(log, { newest: 14, missed: { ...update(14), commitSeq: 15 } });
    await seen.until('what the bus did not bring', () => seen.seen.length === 4);
    for (const seq of [13, 14, 15, 16]) bus.publish(update(seq));
    await seen.until('what was missed, and the next', () => seen.seen.length === 5);
    assert.deepEqual(
      seen.seen.map(({ data, id }) => [data['id'], id]),
      [
        [undefined, 'f-10'],
        ['d11', 'f-11'],
        ['d12', 'f-12'],
        ['d14', 'f-15'],
        ['d16', 'f-16'],
      ],
    );
    assert.equal(seen.lastEventId, 'f-16');
  });

  it('a gap is seen at once, and what did not come through is read from the database', async () => {
    await using seen = await EventReader.open(address);
    await seen.until('it begins', () => seen.seen.length === 1);
    bus.publish(update(11));
    await seen.until('the first', () => seen.seen.length === 2);
    const [missed, told] = [update(12).updates, update(14).updates];
    // The check, which sees the newest alone, finds nothing amiss.
    Object.assign(log, { newest: 11, missed: { commitSeq: 14, updates: [...missed, ...told] } });
    bus.publish(update(14, '', 12));
    bus.publish(update(16, '', 14));
    await seen.until('all of them', () => seen.seen.length === 5);
    assert.deepEqual(
      seen.seen.map(({ data, id }) => [data['id'], id]),
      [
        [undefined, 'f-10'],
        ['d11', 'f-11'],
        ['d12', ''],
        ['d14', 'f-14'],
        ['d16', 'f-16'],
      ],
    );
  });

  it('without a database nobody can be told where to begin', async () => {
    log.away = true;
    await using lost = await EventReader.open(address);
    await lost.until('its end', () => lost.ended !== null);
    assert.deepEqual(ends, ['no_database']);
    assert.deepEqual(lost.seen.at(-1)?.data, { reason: 'the database does not answer' });
  });

  it('so many are enough: one more is refused and counted', async () => {
    const sockets = await Promise.all(Array.from({ length: MAX_EVENT_STREAMS }, idle));
    await eventually(() => streams.size === MAX_EVENT_STREAMS, { what: 'all are connected' });
    await assert.rejects(EventReader.open(address), /^Error: 429/);
    assert.deepEqual(ends, ['refused']);
    for (const socket of sockets) socket.destroy();
    await eventually(() => streams.size === 0, { what: 'they are gone' });
    assert.equal(ends.filter((why) => why === 'left').length, MAX_EVENT_STREAMS);
  });

  it('all end with the engine', async () => {
    await using open = await EventReader.open(address);
    await open.until('it begins', () => open.seen.length === 1);
    streams.stop();
    await open.until('its end', () => open.ended !== null);
    assert.deepEqual(ends, ['stopped']);
    assert.deepEqual(
      [open.lines.at(-1), open.seen.at(-1)?.data, open.lastEventId],
      ['end', { reason: 'this engine stops' }, 'f-10'],
    );
  });
});

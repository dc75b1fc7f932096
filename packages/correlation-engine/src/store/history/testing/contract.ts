import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { HistoryRecord } from '../history-record.js';
import type { HistoryLog, HistoryStore } from '../history-store.js';

/** A place for histories, empty at first. */
export interface HistoryPlace {
  open(): Promise<HistoryStore>;
  /** Reads beside whoever has it open. */
  log(): HistoryLog;
  remove(): Promise<void>;
}

const SPOOL = 'ab'.repeat(16);
const DAY_US = 86_400_000_000;
const NOON_US = 20_000 * DAY_US + DAY_US / 2;

/** Every implementation passes this. A record of sequence n concerns the device "even" or "odd" and was committed n ms after noon. */
export function historyContract(name: string, make: () => Promise<HistoryPlace>, skip: string | false = false): void {
  describe(`the contract of a history: ${name}`, { skip }, () => {
    let place: HistoryPlace;
    let history: HistoryStore;
    let log: HistoryLog;
    beforeEach(async () => {
      place = await make();
      history = await place.open();
      log = place.log();
    });
    afterEach(async () => {
      await log.close();
      await history.close();
      await place.remove();
    });
    const reopen = async (): Promise<void> => {
      await history.close();
      history = await place.open();
      await history.refresh('n', SPOOL);
    };

    it('finds the records of a device, newest first, from a time on', async () => {
      await history.append(records(1, 100));
      assert.deepEqual(await sequences(history, 'even'), down(100, 2));
      assert.deepEqual(await sequences(history, 'odd', NOON_US + 50_000), down(99, 51));
      assert.deepEqual(await sequences(history, 'none'), []);
    });

    it('goes on where a page ended, with that record again', async () => {
      await history.append(records(1, 60));
      const entries = [];
      for await (const entry of history.read('odd', 0, null)) entries.push(entry);
      const tenth = entries[9];
      assert.ok(tenth);
      assert.match(tenth.at, /^[\w.]{1,64}$/);
      assert.deepEqual(await sequences(history, 'odd', 0, tenth.at), down(41, 1));
      await assert.rejects(
        sequences(history, 'odd', 0, 'somewhere'),
        (error) => error instanceof SentinelError && error.field === 'page_token',
      );
    });

    it('over midnight, and of a device that moved to another node, the order stays', async () => {
      const days = [0, 1, 2, 9].flatMap((day, i) => [
        record(2 * i + 1, { nowUs: NOON_US + day * DAY_US, devices: ['odd', 'even'] }),
        record(2 * i + 2, { nowUs: NOON_US + day * DAY_US + 1, devices: ['odd'], node: 'm', spoolId: 'cd'.repeat(16) }),
      ]);
      await history.append(days);
      assert.deepEqual(await sequences(history, 'odd'), [8, 7, 6, 5, 4, 3, 2, 1]);
      assert.deepEqual(await sequences(history, 'even'), [7, 5, 3, 1]);
      assert.deepEqual(await sequences(history, 'odd', NOON_US + DAY_US + 1), [8, 7, 6, 5, 4]);
    });

    it('knows after a restart what is durable, of each spool', async () => {
      assert.equal(history.archivedThrough('n', SPOOL), null);
      await history.append(records(1, 100));
      assert.equal(history.archivedThrough('n', SPOOL), 100);
      await reopen();
      assert.equal(history.archivedThrough('n', SPOOL), 100);
      assert.equal(history.archivedThrough('n', 'cd'.repeat(16)), null);
      assert.equal(history.archivedThrough('m', SPOOL), null);
      await history.append(records(101, 120));
      assert.deepEqual(await sequences(history, 'even'), down(120, 2));
    });

    it('takes a record that it has without keeping it twice', async () => {
      await history.append(records(1, 30));
      await history.append(records(11, 40));
      await reopen();
      await history.append(records(31, 50));
      assert.deepEqual(await sequences(history, 'even'), down(50, 2));
      assert.equal(history.archivedThrough('n', SPOOL), 50);
    });

    it('gives back what was stored', async () => {
      const stored = record(7, {
        node: 'nöde "1"',
        devices: ['even', 'GPU-ö'],
        offsetUs: -12_345,
        commitSeq: 2 ** 40,
        payload: Buffer.from([...Array(256).keys()]),
      });
      const empty = record(8, { devices: [], payload: Buffer.alloc(0), commitSeq: 2 ** 40 + 1 });
      await history.append([stored, empty]);
      for await (const entry of history.read('GPU-ö', 0, null)) assert.deepEqual(plain(entry.record), stored);
      assert.deepEqual((await all(log)).map(plain), [stored, empty]);
    });

    it('takes a record as large as an agent may send', async () => {
      const payload = Buffer.alloc(1024 * 1024, 'x');
      await history.append([record(1, { payload })]);
      for await (const entry of history.read('odd', 0, null))
        assert.equal(Buffer.compare(payload, entry.record.payload), 0);
    });

    it('has every record once, in order per spool, and later what was added since', async () => {
      const other = (sequence: number): HistoryRecord =>
        record(sequence, { node: 'm', spoolId: 'cd'.repeat(16), commitSeq: 2 * sequence, nowUs: NOON_US + sequence });
      const own = (sequence: number): HistoryRecord =>
        record(sequence, { commitSeq: 2 * sequence + 1, nowUs: NOON_US + sequence });
      const upTo = (make: (sequence: number) => HistoryRecord, from: number, to: number): HistoryRecord[] =>
        Array.from({ length: to - from + 1 }, (_, i) => make(from + i));
      await history.append(upTo(own, 1, 300));
      await history.append(upTo(other, 1, 300));
      const seen = await all(log);
      assert.deepEqual(bySpool(seen, 'n'), upTo(own, 1, 300).map(plain));
      assert.deepEqual(bySpool(seen, 'm'), upTo(other, 1, 300).map(plain));
      assert.deepEqual(await log.next(), []);
      const tomorrow = record(301, { commitSeq: 700, nowUs: NOON_US + DAY_US });
      await history.append([other(301), tomorrow]);
      const late = other(302);
      assert.deepEqual(plainSorted(await all(log)), plainSorted([other(301), tomorrow]));
      // Committed the day before, archived late.
      await history.append([late]);
      assert.deepEqual((await all(log)).map(plain), [late]);
    });
  });
}

export function record(sequence: number, fields: Partial<HistoryRecord> = {}): HistoryRecord {
  return {
    node: 'n',
    spoolId: SPOOL,
    sequence,
    commitSeq: sequence + 100,
    nowUs: NOON_US + sequence * 1000,
    offsetUs: 0,
    devices: [sequence % 2 === 0 ? 'even' : 'odd'],
    payload: Buffer.alloc(100, sequence),
    ...fields,
  };
}

function records(from: number, to: number): HistoryRecord[] {
  return Array.from({ length: to - from + 1 }, (_, i) => record(from + i));
}

async function sequences(
  history: HistoryStore,
  device: string,
  startUs = 0,
  from: string | null = null,
): Promise<number[]> {
  const found: number[] = [];
  for await (const entry of history.read(device, startUs, from)) found.push(entry.record.sequence);
  return found;
}

/** Every second number. */
function down(from: number, to: number): number[] {
  return Array.from({ length: (from - to) / 2 + 1 }, (_, i) => from - 2 * i);
}

async function all(log: HistoryLog): Promise<HistoryRecord[]> {
  const found: HistoryRecord[] = [];
  for (;;) {
    const records = await log.next();
    if (records.length === 0) return found;
    found.push(...records);
  }
}

/** With a payload that compares by its bytes. */
function plain(stored: HistoryRecord): HistoryRecord {
  return { ...stored, payload: Buffer.from(stored.payload) };
}

function plainSorted(stored: readonly HistoryRecord[]): HistoryRecord[] {
  return stored.map(plain).toSorted((a, b) => a.commitSeq - b.commitSeq);
}

function bySpool(stored: readonly HistoryRecord[], node: string): HistoryRecord[] {
  return stored.filter((each) => each.node === node).map(plain);
}

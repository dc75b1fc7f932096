import assert from 'node:assert/strict';
import { afterEach, it, mock } from 'node:test';
import { eventually } from '@sentinel/test-kit';
import { Spools } from '../spools.js';
import { Archiver, MAX_WAITING_BYTES } from './archiver.js';
import type { HistoryRecord } from './history-record.js';
import type { HistoryEntry, HistoryStore } from './history-store.js';

const MEGABYTE = 2 ** 20;
const MEGABYTES = MAX_WAITING_BYTES / MEGABYTE;

/** In memory; away while it is told to be. */
class FakeHistory implements HistoryStore {
  away = false;
  asked = 0;
  through = 0;

  archivedThrough(): number {
    return this.through;
  }
  async refresh(): Promise<void> {}
  async probe(): Promise<void> {
    this.asked += 1;
    if (this.away) throw new Error('away');
  }
  async append(records: readonly HistoryRecord[]): Promise<void> {
    await this.probe();
    this.through = records.at(-1)?.sequence ?? this.through;
  }
  async *read(): AsyncGenerator<HistoryEntry> {}
  async close(): Promise<void> {}
}

function archiving(history: FakeHistory) {
  const told: (Error | null)[] = [];
  const left: unknown[] = [];
  const archiver = new Archiver(history, () => Promise.resolve(history), {
    archived: () => {},
    risen: () => {},
    behind: (mark) => left.push(mark),
    changed: (error) => told.push(error as Error | null),
  });
  return { archiver, told, left };
}

const record = (sequence: number): HistoryRecord => ({
  node: 'n',
  spoolId: 'a',
  sequence,
  commitSeq: sequence,
  nowUs: 0,
  offsetUs: 0,
  devices: [],
  payload: Buffer.alloc(MEGABYTE),
});

afterEach(() => mock.timers.reset());

it('holds so many bytes at most while the history is away; the rest is left to the agent, which is asked for it', async () => {
  const history = new FakeHistory();
  history.away = true;
  const { archiver, left } = archiving(history);
  const mark = new Spools().open('n', 'a');
  mark.committed = 2 * MEGABYTES;
  for (let sequence = 1; sequence <= 2 * MEGABYTES; sequence += 1) archiver.offer(mark, record(sequence));
  assert.equal(archiver.waitingBytes, MAX_WAITING_BYTES);
  history.away = false;
  await eventually(() => left.length > 0, { what: 'the agent is asked for what was left out' });
  assert.deepEqual(left, [mark]);
  assert.equal(history.through, MEGABYTES);
  await archiver.stop();
});

it('finds a history that went away while nothing is written', async () => {
  mock.timers.enable({ apis: ['setInterval'] });
  const history = new FakeHistory();
  const { archiver, told } = archiving(history);
  archiver.watch();
  await eventually(() => told.length === 1, { what: 'it was asked' });
  assert.deepEqual(told, [null]);
  history.away = true;
  mock.timers.tick(10_000);
  await eventually(() => told.some((error) => error !== null), { what: 'it is missed' });
  history.away = false;
  await eventually(() => told.at(-1) === null, { what: 'it is back' });
  await archiver.stop();
});

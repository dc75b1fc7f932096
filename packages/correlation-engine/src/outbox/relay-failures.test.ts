import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '@sentinel/test-kit';
import type { NumberedRow, OutboxStore } from './outbox-store.js';
import { type LedgerCalls, Relay } from './relay.js';

const ROW = {
  event_id: '00',
  type: 'DECISION',
  gpu: '',
  event_us: 1,
  detail: '{}',
  injected: false,
} as unknown as NumberedRow;

/** What a relay says of the ledger until it has tried `tries` times. */
async function saidOfLedger(next: () => Promise<NumberedRow[]>, ingest: LedgerCalls['ingest']): Promise<string[]> {
  let tries = 0;
  const store = {
    takeOver: () => Promise.resolve({ epoch: 1, instance: 'one', checkpoint: '' }),
    waiting: () => Promise.resolve({ count: 1, oldestUs: 1 }),
    next: () => {
      tries += 1;
      return next();
    },
  } as unknown as OutboxStore;
  const said: string[] = [];
  const relay = new Relay(store, { ingest } as LedgerCalls, {
    changed: (error) => said.push(String((error as Error | null)?.message)),
    inconsistent: () => undefined,
  });
  relay.start();
  await eventually(() => tries >= 3, { what: 'it tries again', timeoutMs: 30_000 });
  await relay.stop();
  return said;
}

it('a database that is away is not said of the ledger', async () => {
  const away = (): Promise<never> => Promise.reject(new Error('getaddrinfo ENOTFOUND postgres'));
  assert.deepEqual(await saidOfLedger(away, away), []);
});

it('a ledger that is away is', async () => {
  const said = await saidOfLedger(
    () => Promise.resolve([ROW]),
    () => Promise.reject(new Error('ledger:50052 refused')),
  );
  assert.ok(said.length >= 2 && said.every((message) => message === 'ledger:50052 refused'), said.join());
});

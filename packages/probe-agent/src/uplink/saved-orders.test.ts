import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { collectingLogger } from '../testing/collecting-logger.js';
import { temporaryFolder } from '../testing/folder.js';
import { type EngineOrders, NO_ORDERS, SavedOrders } from './saved-orders.js';

const root = temporaryFolder();
const ORDERS: EngineOrders = {
  pauses: [
    { deviceId: 'GPU-a', untilMs: Number.POSITIVE_INFINITY, reason: 'riser swap' },
    { deviceId: 'GPU-b', untilMs: 5_000, reason: 'training' },
  ],
  schedule: { yaml: 'name: night\n', version: '7' },
};

function open(folder: string) {
  const { log, lines } = collectingLogger();
  return { saved: new SavedOrders(folder, log), lines };
}

test('orders are read back as they were saved, pauses without an end too', () => {
  const folder = mkdtempSync(join(root, 'orders-'));
  assert.deepEqual(open(folder).saved.load(), NO_ORDERS);
  open(folder).saved.save(ORDERS);
  assert.deepEqual(open(folder).saved.load(), ORDERS);
});

test('the same orders once more write nothing', () => {
  const folder = mkdtempSync(join(root, 'same-'));
  const { saved } = open(folder);
  saved.save(ORDERS);
  const { ino } = statSync(join(folder, 'orders.json'));
  saved.save(structuredClone(ORDERS));
  assert.equal(statSync(join(folder, 'orders.json')).ino, ino);
});

test('a file that cannot be read or written is said, and costs the orders alone', () => {
  const folder = mkdtempSync(join(root, 'damaged-'));
  const { saved, lines } = open(folder);
  for (const text of ['{"pauses":[{"deviceId":1}],"schedule":{"yaml":"","version":""}}', '{"pau', 'null']) {
    writeFileSync(join(folder, 'orders.json'), text);
    assert.deepEqual(saved.load(), NO_ORDERS, text);
  }
  saved.save(ORDERS);
  assert.match(readFileSync(join(folder, 'orders.json'), 'utf8'), /riser swap/, 'a damaged file is replaced');
  rmSync(folder, { recursive: true });
  writeFileSync(folder, 'no folder');
  saved.save(NO_ORDERS);
  assert.deepEqual(
    lines.map(({ msg }) => /forgotten until the next connection|lost at the next restart/.exec(String(msg))?.[0]),
    [...Array(3).fill('forgotten until the next connection'), 'lost at the next restart'],
  );
});

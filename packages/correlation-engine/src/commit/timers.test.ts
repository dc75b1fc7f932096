import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CoreState } from '../core.js';
import { emptyState } from '../evidence/state.js';
import { CONFIG } from '../evidence/testing/config.js';
import type { Committer } from './committer.js';
import { Timers } from './timers.js';

/** A committer whose state asks for a timer record at once, and counts those that it gets. */
function busyCommitter() {
  const state: CoreState = emptyState(CONFIG);
  state.fleet = { ...state.fleet, reviewUs: 1 };
  const counts = { timers: 0 };
  const submit = (item: { committed(): void }): void => {
    counts.timers += 1;
    setImmediate(() => item.committed());
  };
  return { committer: { state, submit } as unknown as Committer, counts };
}

it('transactions that follow each other closely do not keep a due timer from firing', async () => {
  const { committer, counts } = busyCommitter();
  const timers = new Timers(committer, { nowUs: () => 1_000_000n, monotonicMs: () => performance.now() });
  const started = performance.now();
  for (let i = 0; i < 60; i += 1) {
    timers.schedule();
    await sleep(10);
  }
  timers.stop();
  assert.ok(counts.timers >= 2, `${counts.timers} timer records`);
  const most = 2 + (performance.now() - started) / 200;
  assert.ok(counts.timers <= most, `${counts.timers} timer records: no more than one in 200 ms`);
});

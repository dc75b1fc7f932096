import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoredCheckpointRecord } from '../evidence/job-record.js';
import { MOST_SAVED } from './on-saved-checkpoint.js';
import { deviceIdOf, eventNames, Fleet } from './testing/fleet.js';

function saved(fleet: Fleet, step: number): StoredCheckpointRecord {
  return {
    ...{ kind: 'saved', node: 'n1', source: 'training-monitor/checkpoint', timeUs: fleet.nowUs, job: 'job-1' },
    ...{ rank: 0, step, path: '/checkpoints/9.pt', algorithm: 'sha256', moreParts: 0 },
    ...{ parts: [{ rank: 0, digest: 'ab'.repeat(32), tensors: 12, bytes: 1024 }] },
    ...{ buildId: 'monitor-1', testBuild: false },
  };
}

function commit(fleet: Fleet, sequence: number, events: readonly StoredCheckpointRecord[]) {
  const of = { node: 'n1', spoolId: '00'.repeat(16), sequence, buildId: 'monitor-1', testBuild: false };
  return fleet.commit({ kind: 'monitor-report', ...of, createdUs: fleet.nowUs, events });
}

test('the ledger is told of a saved checkpoint, and nothing is held against its device', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  const before = structuredClone(fleet.device(deviceIdOf('n1')));
  const effects = commit(fleet, 1, [saved(fleet, 9)]);
  const [event] = effects.outbox;
  assert.deepEqual([event?.type, event?.gpu, event?.injected], ['SYSTEM', '', false]);
  assert.deepEqual(event?.detail, {
    ...{ event: 'checkpoint_saved', node: 'n1', source: 'training-monitor/checkpoint', job: 'job-1', rank: 0, step: 9 },
    ...{ path: '/checkpoints/9.pt', algorithm: 'sha256', build_id: 'monitor-1' },
    parts: [{ rank: 0, digest: 'ab'.repeat(32), tensors: 12, bytes: 1024 }],
  });
  assert.deepEqual(fleet.device(deviceIdOf('n1')), before);
});

test('a job that saves at every step does not fill the ledger; the next says how many were left out', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  const events = Array.from({ length: MOST_SAVED + 3 }, (_, step) => saved(fleet, step));
  assert.equal(eventNames(commit(fleet, 1, events)).length, MOST_SAVED);
  fleet.advance(3_600_000_000);
  const [next] = commit(fleet, 2, [saved(fleet, 999)]).outbox;
  assert.equal(next?.detail['untold_before'], 3);
});

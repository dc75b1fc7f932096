import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { begin, install } from '../evidence/draft.js';
import type { Effects } from '../evidence/effects.js';
import { RunKind } from '../evidence/model/terms.js';
import { emptyState, loadState, type SavedState, saveState } from '../evidence/state.js';
import { CONFIG } from '../evidence/testing/config.js';
import { apply } from './apply.js';
import { type Committed, Fleet } from './testing/fleet.js';
import { type Happening, happen, softStory, story } from './testing/story.js';
import { mayBecome } from './transition.js';

const RUNS = { numRuns: 150 };

function tell(events: readonly Happening[]): Fleet {
  const fleet = new Fleet();
  for (const event of events) happen(fleet, event);
  return fleet;
}

/** Replays with `perDraft` records in one transaction. */
function replay(records: readonly Committed[], perDraft: number): { state: SavedState; effects: unknown[] } {
  const state = emptyState(CONFIG);
  const effects: unknown[] = [];
  for (let from = 0; from < records.length; from += perDraft) {
    const draft = begin(state);
    for (const { ctx, record } of records.slice(from, from + perDraft)) effects.push(apply(draft, ctx, record));
    install(draft);
  }
  return { state: saveState(state), effects };
}

test('replaying the records from empty gives the same bytes, however they were grouped into transactions', () => {
  fc.assert(
    fc.property(story, fc.integer({ min: 1, max: 7 }), (events, perDraft) => {
      const fleet = tell(events);
      const again = replay(fleet.committed, perDraft);
      assert.equal(JSON.stringify(again.state), JSON.stringify(saveState(fleet.state)));
      const effects = fleet.committed.map((entry) => entry.effects);
      assert.equal(JSON.stringify(again.effects), JSON.stringify(effects));
    }),
    RUNS,
  );
});

test('a state that went through JSON goes on as the one that did not', () => {
  fc.assert(
    fc.property(story, story, (before, after) => {
      const kept = tell(before);
      const stored = tell(before);
      // What is kept in memory alone is forgotten, as the log says.
      for (const fleet of [kept, stored]) fleet.commit({ kind: 'resumed' });
      stored.restart();
      assert.deepEqual(stored.state, kept.state, 'nothing that JSON cannot say, and the derived parts are rebuilt');
      for (const event of after) {
        happen(kept, event);
        happen(stored, event);
      }
      assert.deepEqual(stored.state, kept.state);
    }),
    RUNS,
  );
});

test('a draft that is dropped leaves no trace', () => {
  fc.assert(
    fc.property(story, story, (before, after) => {
      const fleet = tell(before);
      const bytes = JSON.stringify([saveState(fleet.state), ...fleet.state.goldens]);
      const other = tell([...before, ...after]);
      const draft = begin(fleet.state);
      for (const { ctx, record } of other.committed.slice(fleet.committed.length)) apply(draft, ctx, record);
      assert.equal(JSON.stringify([saveState(fleet.state), ...fleet.state.goldens]), bytes);
      const { goldens } = fleet.state;
      assert.deepEqual({ ...loadState(saveState(fleet.state)), goldens }, fleet.state, 'nor in what is derived');
    }),
    RUNS,
  );
});

test('every transition is legal, leads on from the last one, and only a human condemns', () => {
  let condemned = 0;
  fc.assert(
    fc.property(story, (events) => {
      const states = new Map<string, string>();
      for (const { effects, record } of tell(events).committed) {
        for (const { from, to } of effects.moved) rename(states, from, to);
        for (const move of effects.transitions) {
          const known = knownAs(effects, move.eventId);
          if (known === undefined) assert.ok(mayBecome(move.from, move.to));
          else assert.equal(states.get(known), move.to, 'hardware that came back is what it was');
          assert.equal(move.from, states.get(move.deviceId) ?? 'HEALTHY');
          assert.notEqual(move.from, 'CONDEMNED');
          states.set(move.deviceId, move.to);
          if (move.to !== 'CONDEMNED' || known !== undefined) continue;
          condemned += 1;
          assert.notEqual(move.actor, '');
          if (record.kind === 'approval') assert.equal(record.decision, 'APPROVE');
          else assert.ok(record.kind === 'operator' && record.requiresApproval !== true);
        }
      }
    }),
    { numRuns: 1500 },
  );
  assert.ok(condemned > 10, `only ${condemned} condemnations`);
});

test('what waits is made once, ends once, and is approved by nobody who proposed it', () => {
  let ended = 0;
  fc.assert(
    fc.property(story, (events) => {
      const fleet = tell(events);
      const waiting = new Map<string, string>();
      for (const { effects } of fleet.committed) {
        for (const { proposal, outcome, decidedBy, deviceId } of effects.proposals) {
          if (outcome === 'PENDING') assert.ok(!waiting.has(proposal.id));
          else assert.equal(waiting.get(proposal.id), deviceId);
          if (outcome === 'PENDING') waiting.set(proposal.id, deviceId);
          else waiting.delete(proposal.id);
          if (outcome !== 'PENDING') ended += 1;
          if (outcome === 'APPROVED') assert.notEqual(decidedBy, proposal.proposedBy);
        }
      }
      for (const device of fleet.state.devices.values()) {
        const left = device.proposals.map(({ id }) => id);
        assert.equal(new Set(device.proposals.map(({ action }) => action)).size, left.length);
        for (const id of left) assert.equal(waiting.get(id), device.id);
        assert.equal([...waiting.values()].filter((id) => id === device.id).length, left.length);
      }
    }),
    { numRuns: 1500 },
  );
  assert.ok(ended > 50, `only ${ended} proposals ended`);
});

test('event ids and directive ids are all different', () => {
  fc.assert(
    fc.property(story, (events) => {
      const { committed } = tell(events);
      const ids = committed.flatMap(({ effects }) => effects.outbox.map((entry) => entry.eventId));
      assert.equal(new Set(ids).size, ids.length);
    }),
    RUNS,
  );
});

test('the engine quarantines only with two counted observations of which one is an answer or three in a row, and with no gate on HOLD', () => {
  fc.assert(
    fc.property(story, (events) => {
      const evidence = new Map<string, { counted: number; answers: number }>();
      for (const { effects } of tell(events).committed) {
        for (const { from, to } of effects.moved) rename(evidence, from, to);
        for (const seen of effects.observations) {
          const sum = evidence.get(seen.deviceId) ?? { counted: 0, answers: 0 };
          sum.counted += seen.counted ? 1 : 0;
          sum.answers += seen.answer ? 1 : 0;
          evidence.set(seen.deviceId, sum);
          if (seen.answer) assert.ok(seen.counted && (seen.kind === RunKind.BURST || seen.kind === RunKind.FOLLOW_UP));
        }
        for (const move of effects.transitions) {
          if (move.to === 'HEALTHY') evidence.delete(move.deviceId);
          const entering = move.to === 'QUARANTINED' && (move.from === 'SUSPECT' || move.from === 'HEALTHY');
          const known = knownAs(effects, move.eventId);
          if (known !== undefined) evidence.set(move.deviceId, evidence.get(known) ?? { counted: 0, answers: 0 });
          const byOperator = effects.proposals.every(({ proposal }) => proposal.proposedBy !== '') && move.actor !== '';
          if (!entering || byOperator || known !== undefined) continue;
          const sum = evidence.get(move.deviceId) ?? { counted: 0, answers: 0 };
          const inARow = sum.counted >= CONFIG.immediateQuarantineFailures;
          assert.ok(sum.counted >= 2 && (sum.answers >= 1 || inARow), JSON.stringify(sum));
          const entry = effects.outbox.find((event) => event.eventId === move.eventId);
          const gates = entry?.detail.gates as { verdict: string; name: string }[];
          assert.equal(gates.length, 7);
          const beyondLimit = effects.proposals.some(({ proposal }) => proposal.cause === 'rate-limit');
          assert.ok(gates.every(({ verdict, name }) => verdict !== 'HOLD' || (beyondLimit && name === 'rate-limit')));
        }
      }
    }),
    { numRuns: 400 },
  );
});

test('soft evidence alone never quarantines, nor asks for it', () => {
  let suspects = 0;
  fc.assert(
    fc.property(softStory, (events) => {
      const fleet = tell(events);
      for (const { effects } of fleet.committed) {
        assert.deepEqual(effects.proposals, []);
        for (const { to } of effects.transitions) {
          assert.ok(to === 'SUSPECT' || to === 'HEALTHY', to);
          if (to === 'SUSPECT') suspects += 1;
        }
      }
      for (const device of fleet.state.devices.values()) assert.equal(device.wouldBe, null);
    }),
    { numRuns: 300 },
  );
  assert.ok(suspects > 10, `only ${suspects} suspects`);
});

test('counters add up to what the batches say, and nothing is counted for a device of another node', () => {
  fc.assert(
    fc.property(story, (events) => {
      for (const { record, effects } of tell(events).committed) {
        if (record.kind !== 'batch') continue;
        const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
        const runs = sum(effects.counters.map((entry) => entry.runs)) + sum(effects.ignored.map((entry) => entry.rows));
        const failures =
          sum(effects.counters.map((entry) => entry.failures)) + sum(effects.ignored.map((entry) => entry.mismatches));
        assert.equal(runs, record.batch.family.length);
        assert.equal(failures, record.batch.mismatches.length);
        if (effects.ignored.length > 0) continue;
        const executions = sum(effects.counters.map((entry) => entry.executions));
        assert.equal(executions, sum(record.batch.smsRun));
        assert.equal(executions + sum(effects.counters.map((entry) => entry.notRun)), sum(record.batch.smsPlanned));
        assert.equal(effects.observations.length, record.batch.mismatches.length);
      }
    }),
    RUNS,
  );
});

test('what has never failed costs no memory', () => {
  fc.assert(
    fc.property(story, (events) => {
      const fleet = tell(events);
      const failed = new Map<string, Set<string>>();
      const failedAt = (id: string) => failed.get(placeOf(id)) ?? new Set<string>();
      for (const { effects } of fleet.committed) {
        for (const seen of effects.observations)
          failed.set(seen.deviceId, failedAt(seen.deviceId).add(`${seen.family} ${seen.sm}`));
        for (const { gpu, detail } of effects.outbox)
          if ('known_as' in detail)
            failed.set(gpu, new Set([...failedAt(gpu), ...failedAt(String(detail['known_as']))]));
      }
      for (const device of fleet.state.devices.values()) {
        for (const unit of device.units) assert.ok(failedAt(device.id).has(`${unit.family} ${unit.sm}`));
        if (device.state === 'HEALTHY')
          assert.ok(device.units.every(({ counted, unlocated }) => counted + unlocated === 0));
      }
    }),
    RUNS,
  );
});

/** The id that hardware which came back was known by; undefined = the event says nothing of the kind. */
function knownAs(effects: Effects, eventId: string): string | undefined {
  const known = effects.outbox.find((event) => event.eventId === eventId)?.detail['known_as'];
  return known === undefined ? undefined : String(known);
}

function rename<T>(map: Map<string, T>, from: string, to: string): void {
  const value = map.get(from);
  map.delete(from);
  if (value !== undefined) map.set(to, value);
}

function placeOf(id: string): string {
  return id.split('@')[0] ?? id;
}

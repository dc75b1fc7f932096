import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configWith, NO_QUARANTINES } from '../evidence/testing/config.js';
import { describe, deviceIdOf, Fleet } from '../lifecycle/testing/fleet.js';
import { explain } from './explain.js';

const ID = deviceIdOf('n1');

function said(fleet: Fleet, id = ID) {
  const explanation = explain(fleet.state, id, fleet.nowUs);
  assert.ok(explanation);
  const { sentences, summary, whatWouldChange } = explanation;
  return { text: sentences.join('\n'), summary, would: whatWouldChange.join('\n') };
}

test('what waits is said, with its commands, and is what would change the state', () => {
  const fleet = new Fleet(configWith({ rate_limit: NO_QUARANTINES }));
  fleet.quarantined('n1');
  const { id } = fleet.pending(ID, 'QUARANTINE');
  const asked = said(fleet);
  assert.match(asked.text, /QUARANTINE waits for an operator until 20.* UTC, asked for by the engine: fma32 on SM 1: /);
  assert.ok(
    asked.text.includes(`\`npx sentinel approve ${id} --reason "…"\` or \`npx sentinel reject ${id} --reason "…"\``),
  );
  assert.match(asked.summary, /; QUARANTINE waits for approval$/);
  assert.ok(asked.would.includes(`QUARANTINED: an operator approves ${id}.`));
  fleet.answerProposal(id, 'REJECT');
  assert.match(said(fleet).text, /An operator rejected QUARANTINE on/);
  assert.match(said(fleet).would, /QUARANTINED: another mismatch, for an operator said no/);
  fleet.advance(1_000_000);
  fleet.answer('n1');
  fleet.answerProposal(fleet.pending(ID, 'QUARANTINE').id, 'APPROVE');
  const out = said(fleet);
  assert.match(out.text, /^QUARANTINED since .* UTC, approved by bob: /);
  assert.match(out.would, /CONDEMNED: only an operator orders that; after 720 hours/);
  fleet.operator(ID, 'CONDEMN', { requiresApproval: true });
  assert.match(said(fleet).text, /CONDEMN waits for an operator .* asked for by alice: because/);
});

test('a device that is back says what it is on probation for', () => {
  const fleet = new Fleet();
  fleet.quarantined('n1');
  fleet.operator(ID, 'REINSTATE');
  const { text } = said(fleet);
  assert.match(text, /On probation until 2027-04-15 .*, because it failed before: fma32 on SM 1\./);
  assert.doesNotMatch(text, /Failing:/);
});

test('hardware that is gone is history', () => {
  const fleet = new Fleet();
  fleet.hello('n1', { devices: [describe(ID, { serial: 'A' })] });
  fleet.hello('n1', { devices: [describe(ID, { serial: 'B' })] });
  assert.match(said(fleet, `${ID}@A`).text, /Other hardware is in its place since .*: CPU-n1\. This is history\./);
});

test('observe mode says that it would ask, not that it would condemn', () => {
  const fleet = new Fleet();
  fleet.quarantined('n1');
  fleet.configure(configWith({}, { mode: 'observe', maxQuarantineHours: 1 }));
  fleet.advance(3_700_000_000);
  assert.match(said(fleet).text, /Enforce mode would have asked an operator to condemn it/);
});

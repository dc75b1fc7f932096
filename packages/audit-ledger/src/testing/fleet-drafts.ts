/** What an engine tells of a small fleet in which one device is faulty and people act: every kind of event that reports count. */
import type { Draft } from '../commit/build.js';
import { canonicalJson, type JsonValue } from '../detail/canonical.js';
import { LeafType } from '../leaf/leaf.js';
import type { TypeName } from '../report/model.js';
import { draftOf } from './ledgers.js';

type Detail = { readonly event: string; readonly [key: string]: JsonValue };

const GPU = 'GPU-5f0b2f3e-7f0c-4c5e-9a57-2a4b6f6f0a11';
const NODE = 'node-17';

export class FleetDrafts {
  readonly drafts: Draft[] = [];
  #us: number;

  constructor(startUs: number) {
    this.#us = startUs;
  }

  /** Time passes. */
  later(minutes: number): this {
    this.#us += minutes * 60_000_000;
    return this;
  }

  add(type: TypeName, detail: Detail, over: Partial<Draft> = {}): this {
    const body = { type: LeafType[type], eventUs: this.#us, gpu: '', detail: Buffer.from(canonicalJson(detail)) };
    this.drafts.push(draftOf(this.drafts.length, { ...body, ...over }));
    this.#us += 1_000_000;
    return this;
  }

  moved(from: string, to: string, more: { readonly [key: string]: JsonValue } = {}, over: Partial<Draft> = {}): this {
    const detail = { event: 'state_changed', from, to, reason: `It became ${to}.`, actor: '', node: NODE, ...more };
    return this.add('decision', detail, { gpu: GPU, ...over });
  }

  mismatch(counted: boolean, over: Partial<Draft> = {}): this {
    const detail = { event: 'mismatch', node: NODE, family: 'fma32', sm: 7, counted, held_by: counted ? '' : 'dwell' };
    return this.add('probe', detail, { gpu: GPU, ...over });
  }

  registered(node: string, identity = 'certificate'): this {
    const detail = {
      event: 'agent_registered',
      node,
      identity,
      build_id: 'build-1',
      test_build: false,
      device_count: 8,
    };
    return this.add('system', detail);
  }

  /** A proposal and its answer, as the engine logs them. */
  approval(directive: string, action: string, proposedBy: string, actor: string, outcome = 'approved'): this {
    const common = {
      directive,
      action,
      cause: proposedBy === '' ? 'relapse' : 'operator',
      proposed_by: proposedBy,
      node: NODE,
    };
    this.add('approval', { event: 'approval_requested', reason: 'It failed again.', ...common }, { gpu: GPU });
    this.later(12);
    if (outcome === 'approved') this.moved('DEEP_TEST', 'CONDEMNED', { actor, order: directive });
    const answer = { event: `approval_${outcome}`, actor, decision_reason: 'Agreed with the vendor.', ...common };
    return this.add('approval', { reason: 'It failed again.', ...answer }, { gpu: GPU });
  }
}

/** Some three days of it. */
export function fleetDrafts(startUs: number): Draft[] {
  const fleet = new FleetDrafts(startUs);
  for (let n = 0; n < 4; n += 1) fleet.registered(`node-${16 + n}`, n === 3 ? 'shared key' : 'certificate');
  fleet.add('configuration', { event: 'configuration_changed', changed: { mode: 'observe -> enforce' } });
  for (let hour = 0; hour < 20; hour += 1)
    fleet
      .later(60)
      .add('probe', { event: 'canary_closed', outcome: hour === 13 ? 'TIMEOUT' : 'AGREED', canary: `c${hour}` });
  fleet.mismatch(false).mismatch(true).moved('HEALTHY', 'SUSPECT').later(1).mismatch(true);
  fleet.add('probe', { event: 'mismatches_more', node: NODE, mismatches: 412, counted: 400 }, { gpu: GPU });
  fleet.add('anomaly', { event: 'canary_closed', outcome: 'DISSENT', canary: 'c20' }, { gpu: GPU });
  fleet
    .moved('SUSPECT', 'QUARANTINED')
    .add('decision', { event: 'deep_test_scheduled', actor: '', reason: 'New', node: NODE }, { gpu: GPU });
  fleet.moved('QUARANTINED', 'DEEP_TEST').later(40).moved('DEEP_TEST', 'HEALTHY', { actor: 'maria', order: 'order-1' });
  fleet.add('decision', { event: 'probation_began', odds: 0.01, actor: 'maria' }, { gpu: GPU });
  fleet.later(300).mismatch(true).moved('HEALTHY', 'QUARANTINED').moved('QUARANTINED', 'DEEP_TEST');
  fleet.approval('proposal-1', 'CONDEMN', '', 'jonas');
  fleet.later(600).approval('proposal-2', 'QUARANTINE', 'jonas', 'maria', 'rejected');
  fleet.later(60).approval('proposal-3', 'REINSTATE', 'maria', 'jonas');
  fleet.approval('proposal-4', 'REINSTATE', 'maria', 'maria');
  fleet.approval('proposal-5', 'CONDEMN', '', '', 'expired');
  fleet.add('decision', {
    event: 'node_incident_opened',
    incident: 'i1',
    node: NODE,
    reason: 'Two devices fail alike.',
  });
  fleet.add('decision', {
    event: 'node_incident_confirmed',
    incident: 'i1',
    node: NODE,
    actor: 'maria',
    actor_reason: '=HYPERLINK("http://evil","click")',
  });
  fleet.add('decision', { event: 'node_incident_closed', incident: 'i1', node: NODE });
  fleet.add(
    'configuration',
    { event: 'probing_paused', node: NODE, actor: 'jonas', reason: 'Maintenance of the rack' },
    { gpu: GPU },
  );
  fleet
    .later(90)
    .add('configuration', { event: 'probing_resumed', node: NODE, actor: 'jonas', reason: '@done' }, { gpu: GPU });
  fleet.add('configuration', {
    event: 'schedule_set',
    node: NODE,
    actor: 'maria',
    reason: 'Less load',
    version: '71',
    bytes: 300,
  });
  fleet.add('approval', {
    event: 'rate_limit_reset',
    actor: 'maria',
    reason: 'All of one batch',
    quarantines_last_day: 3,
  });
  const counts = { runs: 480, pass: 63_350, fail: 2, not_run: 8 };
  fleet.add('probe', { event: 'coverage', node: NODE, from_us: 0, until_us: 3_600_000_000, ...counts, gpus: {} });
  fleet.add('probe', { event: 'gap', node: 'node-18', runs: 5120, executions: 675_840, mismatches: 0 });
  fleet.add('anomaly', { event: 'loud_fault', node: 'node-16', detail: 'Xid 79' });
  fleet.add('anomaly', { event: 'anomaly', node: 'node-16', source: 'training/loss', type: 'spike', job: 'j' });
  fleet.add('system', { event: 'agent_stopped', node: 'node-19', sequence: 9 });
  fleet.mismatch(true, { injected: true }).moved('HEALTHY', 'QUARANTINED', {}, { injected: true });
  return fleet.drafts;
}

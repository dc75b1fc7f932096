/** Every figure that a control may show, by the types and events that the engine and the ledger log. */
import type { FigureDefinition, Selector, TypeName, Where } from './model.js';

function on(type: TypeName, event: string, ...where: Where[]): Selector {
  return where.length === 0 ? { type, event } : { type, event, where };
}

function all(type: TypeName, ...events: string[]): Selector[] {
  return events.map((event) => on(type, event));
}

function entries(id: string, label: string, ...of: Selector[]): FigureDefinition {
  return { id, label, count: 'entries', of };
}

function covered(member: string, label: string): FigureDefinition {
  return { id: `coverage_${member}`, label, count: { sum: member }, of: [on('probe', 'coverage')] };
}

const BY_SOMEBODY: Where = { field: 'actor', not: '' };
const moved = (...where: Where[]): Selector => on('decision', 'state_changed', ...where);
const to = (state: string): Where => ({ field: 'to', is: state });
const from = (state: string): Where => ({ field: 'from', is: state });
const canary = (type: TypeName, outcome: string): Selector =>
  on(type, 'canary_closed', { field: 'outcome', is: outcome });
const incidents = (what: string, ...where: Where[]): Selector[] =>
  ['breadth', 'node'].map((kind) => on('decision', `${kind}_incident_${what}`, ...where));

const OUT: readonly string[] = ['QUARANTINED', 'DEEP_TEST'];

export const FIGURES = {
  mismatches: entries('mismatches', 'Wrong results recorded', on('probe', 'mismatch')),
  mismatchesCounted: entries(
    'mismatches_counted',
    'Wrong results that counted as evidence',
    on('probe', 'mismatch', { field: 'counted', is: true }),
  ),
  mismatchesSummed: {
    id: 'mismatches_summed',
    label: 'Further wrong results, told in sums only',
    count: { sum: 'mismatches' },
    of: [on('probe', 'mismatches_more')],
  },
  canariesAgreed: entries('canaries_agreed', 'Comparisons of devices that agreed', canary('probe', 'AGREED')),
  canariesDissent: entries(
    'canaries_dissent',
    'Comparisons in which a device was outvoted or nobody agreed',
    on('anomaly', 'canary_closed'),
  ),
  canariesSilent: entries('canaries_silent', 'Comparisons that nobody answered in time', canary('probe', 'TIMEOUT')),
  jobsLost: entries(
    'jobs_lost',
    'Comparisons of jobs in which a device was outvoted',
    on('anomaly', 'job_comparison', { field: 'outcome', is: 'COUNTED' }),
  ),
  anomalies: entries('anomalies', 'Anomalies of jobs and sensors', on('anomaly', 'anomaly')),
  loudFaults: entries('loud_faults', 'Faults that the hardware itself reported', on('anomaly', 'loud_fault')),
  goldens: entries(
    'goldens',
    'Reference computations found wrong',
    ...all('anomaly', 'golden_outvoted', 'golden_disagreed', 'self_test_failed'),
  ),
  patterns: entries('patterns', 'Patterns found in the counts', on('anomaly', 'pattern_found')),
  gaps: entries('gaps', 'Times an agent gave up reports because its spool was full', on('probe', 'gap')),
  runsLost: { id: 'runs_lost', label: 'Runs given up with them', count: { sum: 'runs' }, of: [on('probe', 'gap')] },
  coverageHours: entries(
    'coverage_hours',
    'Hours of nodes in which devices were probed, as told once the hour was over',
    on('probe', 'coverage'),
  ),
  coverageRuns: covered('runs', 'Runs in these hours'),
  coveragePassed: covered('pass', 'Executions on a unit in these runs that passed'),
  coverageFailed: covered('fail', 'Executions in these runs that failed'),
  coverageNotRun: covered('not_run', 'Executions that were planned in these hours and did not happen'),
  suspected: entries('suspected', 'Devices put under suspicion', moved(to('SUSPECT'))),
  quarantined: entries(
    'quarantined',
    'Devices taken out of service',
    moved(to('QUARANTINED'), from('HEALTHY')),
    moved(to('QUARANTINED'), from('SUSPECT')),
  ),
  quarantinedByOrder: entries(
    'quarantined_by_order',
    'Of these, ordered or approved by a person',
    moved(to('QUARANTINED'), from('HEALTHY'), BY_SOMEBODY),
    moved(to('QUARANTINED'), from('SUSPECT'), BY_SOMEBODY),
  ),
  wouldQuarantine: entries(
    'would_quarantine',
    'Devices that observe mode left in service',
    on('decision', 'would_quarantine'),
  ),
  reinstated: entries(
    'reinstated',
    'Devices brought back into service',
    ...OUT.map((state) => moved(to('HEALTHY'), from(state))),
  ),
  condemned: entries('condemned', 'Devices condemned', moved(to('CONDEMNED'))),
  deepTests: entries('deep_tests', 'Deep tests scheduled', on('decision', 'deep_test_scheduled')),
  probations: entries('probations', 'Probations begun after reinstatement', on('decision', 'probation_began')),
  incidentsOpened: entries('incidents_opened', 'Incidents opened', ...incidents('opened')),
  incidentsAnswered: entries(
    'incidents_answered',
    'Incidents confirmed or released by a person',
    ...incidents('confirmed'),
    ...incidents('released'),
  ),
  incidentsClosed: entries('incidents_closed', 'Incidents closed', ...incidents('closed')),
  registered: entries('agents_registered', 'Agents registered', on('system', 'agent_registered')),
  registeredShared: entries(
    'agents_shared_key',
    'Of these, known by the key that all nodes share',
    on('system', 'agent_registered', { field: 'identity', is: 'shared key' }),
  ),
  nodes: {
    id: 'nodes_registered',
    label: 'Different nodes among them',
    count: { distinct: 'node' },
    of: [on('system', 'agent_registered')],
  },
  replaced: entries('devices_replaced', 'Devices replaced by others', on('system', 'device_replaced')),
  returned: entries(
    'devices_returned',
    'Devices that were out of service and came back',
    ...all('anomaly', 'device_returned', 'condemned_device_returned'),
  ),
  condemnedReturned: entries(
    'condemned_returned',
    'Of these, condemned ones',
    on('anomaly', 'condemned_device_returned'),
  ),
  claims: entries(
    'claims_refused',
    'Devices that a node claimed and was not given',
    ...all('anomaly', 'device_claimed_twice', 'too_many_devices'),
  ),
  conflicts: entries('conflicts', 'Events refused because their id was taken', on('system', 'event_id_conflict')),
  requested: entries('approvals_requested', 'Approvals asked for', on('approval', 'approval_requested')),
  approved: entries('approvals_given', 'Approvals given', on('approval', 'approval_approved')),
  approvedByTwo: entries(
    'approvals_two_persons',
    'Of these, proposed by one person and approved by another',
    on(
      'approval',
      'approval_approved',
      { field: 'proposed_by', not: '' },
      { field: 'proposed_by', not_field: 'actor' },
    ),
  ),
  approvedForEngine: entries(
    'approvals_for_engine',
    'Of these, proposed by the engine',
    on('approval', 'approval_approved', { field: 'proposed_by', is: '' }),
  ),
  rejected: entries('approvals_rejected', 'Approvals refused', on('approval', 'approval_rejected')),
  expired: entries('approvals_expired', 'Approvals that nobody answered in time', on('approval', 'approval_expired')),
  operators: {
    id: 'operators',
    label: 'Different persons who acted',
    count: { distinct: 'actor' },
    of: [
      moved(BY_SOMEBODY),
      on('decision', 'deep_test_scheduled', BY_SOMEBODY),
      ...incidents('confirmed', BY_SOMEBODY),
      ...incidents('released', BY_SOMEBODY),
      ...all('configuration', 'probing_paused', 'probing_resumed', 'schedule_set', 'schedule_cleared'),
      ...all('approval', 'approval_approved', 'approval_rejected', 'rate_limit_reset', 'ledger_rollback_accepted'),
    ],
  },
  orders: entries('orders', 'Changes of state ordered or approved by a person', moved(BY_SOMEBODY)),
  rateLimitResets: entries(
    'rate_limit_resets',
    'Times a person lifted the limit of quarantines',
    on('approval', 'rate_limit_reset'),
  ),
  settings: entries(
    'settings_changed',
    'Changes of the settings that decisions follow',
    on('configuration', 'configuration_changed'),
  ),
  schedules: entries(
    'schedules',
    'Probe schedules set or cleared for a node',
    ...all('configuration', 'schedule_set', 'schedule_cleared'),
  ),
  paused: entries('probing_paused', 'Devices whose probing a person paused', on('configuration', 'probing_paused')),
  resumed: entries('probing_resumed', 'Devices whose probing a person resumed', on('configuration', 'probing_resumed')),
  builds: {
    id: 'builds',
    label: 'Different builds of agents that registered',
    count: { distinct: 'build_id' },
    of: [on('system', 'agent_registered')],
  },
  agentsStopped: entries('agents_stopped', 'Agents that stopped', on('system', 'agent_stopped')),
  probesFailed: entries(
    'probe_processes',
    'Probe processes that hung or crashed',
    ...all('system', 'child_timeout', 'child_crashed'),
  ),
  refused: entries('directives_refused', 'Directives that an agent refused', on('system', 'directive_refused')),
  prunings: entries('prunings', 'Prunings of old entries', on('system', 'prune')),
  repairs: entries('repairs', 'Repairs of stored entries', on('system', 'repair')),
  rotations: entries('key_rotations', 'Changes of the signing key', on('system', 'key_rotation')),
  rollbacks: entries('rollbacks', 'Losses of entries that a person accepted', on('system', 'rollback_accepted')),
  holds: entries('holds', 'Legal holds set or lifted', on('system', 'hold')),
} as const satisfies Record<string, FigureDefinition>;

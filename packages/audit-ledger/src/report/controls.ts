/** Which figures speak to which control. Titles are our own words; the standards have theirs. */
import { FIGURES as F } from './figures.js';
import type { ControlDefinition, Framework } from './model.js';

/**
 * Of everything here and in figures.ts that a report shows. A change needs the next number and then
 * `node dist/report/write-definitions.js`: verifiers go on knowing the earlier ones.
 */
export const DEFINITIONS_VERSION = 2;

const NO_LOGINS =
  'Log-ins, failed log-ins, reads, and changes of accounts, certificates or tokens: whoever issues them has their record.';
const NO_PASSES =
  'Runs that passed one by one: they are counted by node and hour, so that an hour of a node without such an entry does not prove that its devices were probed in it.';
const NAMES_FROM_CERTIFICATES =
  'That a named person sat at the keyboard: a name is that of the certificate or token with which the order came.';
const NO_CODE =
  'Changes of software, images and deployments, and who reviewed them: only builds of agents that registered are seen.';
const NO_COMPANY = 'Policies, training and review by people: these are evidenced elsewhere.';

const SOC2: readonly ControlDefinition[] = [
  {
    id: 'CC6.1',
    title: 'Logical access: who can act on the fleet, and who did',
    shows: [
      F.operators,
      F.orders,
      F.requested,
      F.approved,
      F.approvedByTwo,
      F.approvedForEngine,
      F.rejected,
      F.expired,
      F.rateLimitResets,
      F.registered,
      F.registeredShared,
      F.claims,
      F.conflicts,
      F.rotations,
    ],
    not_shown: [NO_LOGINS, NAMES_FROM_CERTIFICATES],
  },
  {
    id: 'CC7.2',
    title: 'Monitoring: anomalies are looked for, found and judged',
    shows: [
      F.mismatches,
      F.mismatchesCounted,
      F.mismatchesSummed,
      F.canariesAgreed,
      F.canariesDissent,
      F.jobsLost,
      F.canariesSilent,
      F.anomalies,
      F.loudFaults,
      F.goldens,
      F.patterns,
      F.suspected,
      F.incidentsOpened,
      F.incidentsAnswered,
      F.incidentsClosed,
      F.coverageHours,
      F.coverageRuns,
      F.coveragePassed,
      F.coverageFailed,
      F.coverageNotRun,
      F.gaps,
      F.runsLost,
    ],
    not_shown: [NO_PASSES, 'Alerts and to whom they were sent: channels keep their own record.'],
  },
  {
    id: 'CC8.1',
    title: 'Change management: what was changed, by whom and with whose approval',
    shows: [
      F.settings,
      F.schedules,
      F.paused,
      F.resumed,
      F.approved,
      F.approvedByTwo,
      F.rateLimitResets,
      F.nodes,
      F.builds,
      F.replaced,
      F.rotations,
      F.repairs,
      F.prunings,
      F.holds,
      F.rollbacks,
    ],
    not_shown: [
      NO_CODE,
      'Who changed the settings of the engine: an entry says which keys changed and how, the file it came from has its own history.',
    ],
  },
  {
    id: 'A1.2',
    title: 'Availability: capacity that fails is taken out, tested and brought back',
    shows: [
      F.quarantined,
      F.quarantinedByOrder,
      F.wouldQuarantine,
      F.deepTests,
      F.reinstated,
      F.probations,
      F.condemned,
      F.replaced,
      F.returned,
      F.condemnedReturned,
      F.agentsStopped,
      F.probesFailed,
      F.refused,
      F.coverageHours,
      F.coverageRuns,
      F.coveragePassed,
      F.coverageFailed,
      F.coverageNotRun,
      F.gaps,
      F.runsLost,
    ],
    not_shown: [NO_PASSES, 'Backups and exercises of recovery: these are evidenced elsewhere.'],
  },
];

const ISO27001: readonly ControlDefinition[] = [
  {
    id: 'A.8',
    title: 'Asset management: which devices are known, and what became of them',
    today: '5.9, 5.10, 5.11, 7.14',
    shows: [
      F.registered,
      F.nodes,
      F.registeredShared,
      F.claims,
      F.replaced,
      F.returned,
      F.condemnedReturned,
      F.condemned,
    ],
    not_shown: [
      'An inventory as of a day: the engine has that; here is when devices came, went and came back.',
      'Physical disposal of condemned devices.',
    ],
  },
  {
    id: 'A.12',
    title: 'Operations security: changes, logging, monitoring and its protection',
    today: '8.6, 8.8, 8.15, 8.16, 8.17, 8.32',
    shows: [
      F.settings,
      F.schedules,
      F.paused,
      F.resumed,
      F.operators,
      F.orders,
      F.requested,
      F.approved,
      F.approvedByTwo,
      F.approvedForEngine,
      F.rejected,
      F.expired,
      F.builds,
      F.mismatches,
      F.canariesAgreed,
      F.canariesDissent,
      F.jobsLost,
      F.coverageHours,
      F.coverageRuns,
      F.coveragePassed,
      F.coverageFailed,
      F.coverageNotRun,
      F.gaps,
      F.runsLost,
      F.agentsStopped,
      F.probesFailed,
      F.prunings,
      F.holds,
      F.repairs,
      F.rotations,
      F.rollbacks,
    ],
    not_shown: [NO_PASSES, NO_CODE, NO_LOGINS, NAMES_FROM_CERTIFICATES],
  },
  {
    id: 'A.16',
    title: 'Incident management: reported, judged, answered, and kept as evidence',
    today: '5.24, 5.25, 5.26, 5.27, 5.28, 6.8',
    shows: [
      F.mismatches,
      F.mismatchesCounted,
      F.anomalies,
      F.loudFaults,
      F.goldens,
      F.suspected,
      F.quarantined,
      F.quarantinedByOrder,
      F.incidentsOpened,
      F.incidentsAnswered,
      F.incidentsClosed,
      F.deepTests,
      F.reinstated,
      F.condemned,
    ],
    not_shown: [NO_COMPANY, 'Jobs and results that a faulty device may have touched: blast radius is not logged.'],
  },
];

export const FRAMEWORKS: Readonly<
  Record<Framework, { readonly title: string; readonly controls: readonly ControlDefinition[] }>
> = {
  soc2: { title: 'SOC 2: evidence of the audit log', controls: SOC2 },
  iso27001: { title: 'ISO/IEC 27001: evidence of the audit log', controls: ISO27001 },
};

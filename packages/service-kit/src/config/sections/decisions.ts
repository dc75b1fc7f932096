import { flag, integer, real } from '../formats.js';
import { group, leaf } from '../schema.js';
import { CONTRACT } from './shared.js';

export const bayesianModel = group(
  'The score that is shown: alpha / (alpha + beta). It is a display of the evidence, and decides nothing by itself.',
  {
    prior_alpha: leaf({
      format: real(1, 1e6),
      default: 100,
      doc: 'alpha of a device that nothing is known about.',
      source: CONTRACT,
      reloadable: true,
    }),
    prior_beta: leaf({
      format: real(0.001, 1e6),
      default: 1,
      doc: 'beta of a device that nothing is known about.',
      source: CONTRACT,
      reloadable: true,
    }),
    decay_half_life_hours: leaf({
      format: real(1, 87_600),
      default: 168,
      unit: 'h',
      doc: 'Half-life of how much was seen; it moves alpha and beta, not their ratio.',
      source: CONTRACT,
      reloadable: true,
    }),
  },
);

export const stateMachine = group("A device's way through HEALTHY, SUSPECT, QUARANTINED, DEEP_TEST and CONDEMNED.", {
  healthy_to_suspect_threshold: leaf({
    format: real(0, 1),
    default: 0.95,
    unit: 'score',
    doc: 'A score below makes a device SUSPECT.',
    source: CONTRACT,
    reloadable: true,
  }),
  suspect_to_quarantine_threshold: leaf({
    format: real(0, 1),
    default: 0.8,
    unit: 'score',
    doc: 'A score below asks for a quarantine, through the gates and never with posterior odds under 19.',
    source: CONTRACT,
    reloadable: true,
  }),
  immediate_quarantine_failures: leaf({
    format: integer(1, 1000),
    default: 3,
    unit: 'consecutive failing runs',
    doc: 'So many ask for a quarantine, through the same gates.',
    source: CONTRACT,
    reloadable: true,
  }),
  quarantine_to_healthy_threshold: leaf({
    format: real(0, 1),
    default: 0.98,
    unit: 'score',
    doc: 'Score that a device needs, besides its clean executions, to leave quarantine.',
    source: CONTRACT,
    reloadable: true,
  }),
  reinstatement_pass_count: leaf({
    format: integer(1, 10_000_000),
    default: 1000,
    unit: 'executions',
    doc: 'Clean executions of each failing unit that a deep test must reach, at least.',
    source: CONTRACT,
    reloadable: true,
  }),
  max_quarantine_hours: leaf({
    format: real(1, 87_600),
    default: 720,
    unit: 'h',
    doc: 'After so long out of service a condemnation is proposed, and again so long after a refusal; only an operator completes it.',
    source: CONTRACT,
    reloadable: true,
  }),
  require_approval: leaf({
    format: flag,
    default: false,
    doc: 'Holds every quarantine, deep test and reinstatement of the engine until an operator approves it. A condemnation always waits.',
    source: CONTRACT,
    reloadable: true,
  }),
  approval_expiry_hours: leaf({
    format: real(0.01, 8760),
    default: 72,
    unit: 'h',
    doc: 'What nobody approved in this time is dropped; the evidence stays.',
    source: 'a long weekend',
    reloadable: true,
  }),
  approve_own_proposals: leaf({
    format: flag,
    default: false,
    doc: 'Who proposed an action may approve it too. An operator is who the certificate names; the operator token is one person, whoever holds it.',
    source: 'secure default: two persons',
    reloadable: true,
  }),
});

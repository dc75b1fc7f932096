import { choice, flag, integer, mapping, real, text } from '../formats.js';
import { optionalPath } from '../places.js';
import { group, inert, leaf } from '../schema.js';
import { CONTRACT, ESTIMATE } from './shared.js';

export const correlation = group(
  'Patterns in what speaks against a device: they are shown and go to the audit ledger, and decide nothing.',
  {
    window_seconds: leaf({
      format: integer(1, 86_400),
      default: 300,
      unit: 's',
      doc: 'Signals of different sources about one device that fall so close together make MULTI_SIGNAL.',
      source: CONTRACT,
      reloadable: true,
    }),
    min_confidence: leaf({
      format: real(0, 1),
      default: 0.6,
      doc: 'Patterns that chance alone explains with a probability above 1 minus this are left out.',
      source: CONTRACT,
      reloadable: true,
    }),
    ...inert({
      buffer_size: leaf({
        format: integer(100, 10_000_000),
        default: 100_000,
        unit: 'events',
        doc: 'Patterns come from counts that are kept per device, so no events are buffered.',
        source: CONTRACT,
      }),
    }),
  },
);

export const tmr = group('Canaries: the same computation on three devices, with a vote.', {
  enabled: leaf({
    format: flag,
    default: true,
    doc: 'Schedules canaries, and asks two others about each suspect.',
    source: CONTRACT,
    reloadable: true,
  }),
  interval_seconds: leaf({
    format: integer(1, 86_400),
    default: 600,
    unit: 's',
    doc: 'Time between two canaries.',
    source: CONTRACT,
    reloadable: true,
  }),
  timeout_ms: leaf({
    format: integer(100, 3_600_000),
    default: 30_000,
    unit: 'ms',
    doc: 'A member that has not answered by then does not vote.',
    source: CONTRACT,
    reloadable: true,
  }),
  selection_strategy: leaf({
    format: choice('round_robin', 'random', 'suspect_priority'),
    default: 'round_robin',
    doc: 'Which device a canary begins with; suspect_priority = a SUSPECT if there is one. Two others of its cohort join it.',
    source: CONTRACT,
    reloadable: true,
  }),
});

export const trustGraph = group('Who agreed with whom: a view that decides nothing.', {
  enabled: leaf({
    format: flag,
    default: true,
    doc: 'Counts who agrees with whom in canaries.',
    source: CONTRACT,
    reloadable: true,
  }),
  snapshot_interval_seconds: leaf({
    format: integer(10, 604_800),
    default: 3600,
    unit: 's',
    doc: 'Time between two snapshots in the database, while there is something new.',
    source: CONTRACT,
    reloadable: true,
  }),
});

export const cohortManifest = group(
  'Gate 3: cohorts that operators vouch for, in a file that one of them signed, in place of clean devices enough.',
  {
    file: leaf({
      format: optionalPath,
      default: '',
      doc: 'The signed file, see docs/decisions.md; "" = none.',
      source: ESTIMATE,
      readable: 'always',
      reloadable: true,
    }),
    keys: leaf({
      format: mapping(text({ expects: 'an Ed25519 public key, 32 bytes as base64', pattern: /^[A-Za-z0-9+/]{43}=$/ })),
      default: {},
      doc: 'Public keys of the operators who may sign it, by key id.',
      source: ESTIMATE,
      reloadable: true,
    }),
  },
);

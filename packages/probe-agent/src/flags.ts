import type { FlagSpecs } from '@sentinel/service-kit/config';

/** Flags of the agent besides the common ones. */
export const FLAGS = {
  'list-gpus': { type: 'boolean', help: 'prints the devices that would be tested, and exits' },
  once: { type: 'boolean', help: 'runs every family once on every SM, prints a table, exits 0 (all passed) or 1' },
  mode: {
    type: 'string',
    choices: ['daemon', 'benchmark'],
    help: 'benchmark measures what executions cost and exits [daemon]',
  },
  iterations: { type: 'integer', min: 1, max: 1_000_000, help: 'executions of each family in a benchmark [100]' },
  output: { type: 'string', value: 'FILE', help: 'where a benchmark writes its figures as JSON' },
} as const satisfies FlagSpecs;

/** Flags of the test build: the only one that can falsify results. */
export const TEST_FLAGS = {
  ...FLAGS,
  inject: {
    type: 'string',
    value: 'SPEC',
    help: 'falsifies results: core=1,family=fma32,rate=0.01 or gpu=0,sm=1,family=sfu; ";" joins several',
  },
} as const satisfies FlagSpecs;

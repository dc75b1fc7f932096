import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlagError, parseFlags } from './flags.js';

test('nothing given: the defaults', () => {
  assert.deepEqual(parseFlags([]), {
    data: undefined,
    inject: undefined,
    freePorts: false,
    overrides: { ledger: [], engine: [], agent: [] },
    help: false,
  });
});

test('an override goes to the service of its section, without the section', () => {
  const { overrides } = parseFlags([
    '--override',
    'correlation_engine.mode=observe',
    '--override=probe_agent.batch_size=8',
    '--override',
    'correlation_engine.gates.dwell_small_seconds=0',
  ]);
  assert.deepEqual(overrides, {
    ledger: [],
    engine: ['mode=observe', 'gates.dwell_small_seconds=0'],
    agent: ['batch_size=8'],
  });
});

for (const [argv, expected] of [
  [['--dta', 'x'], /--dta/],
  [['--data'], /data/],
  [['--inject='], /--inject needs a value/],
  [['--override', 'mode=observe'], /must begin with audit_ledger\., correlation_engine\., probe_agent\./],
  [['extra'], /extra/],
] as const) {
  test(`${argv.join(' ')} is refused in one sentence`, () => {
    assert.throws(
      () => parseFlags(argv),
      (error) => error instanceof FlagError && expected.test(error.message) && !error.message.includes('\n'),
    );
  });
}

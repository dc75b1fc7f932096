import assert from 'node:assert/strict';
import { test } from 'node:test';
import { helpText, parseCommandLine } from './command-line.js';
import { UsageError } from './problems.js';

const flags = {
  mode: { type: 'string', help: 'what this process does', choices: ['writer', 'reader'] },
  depth: { type: 'integer', help: 'newest entries to verify', min: 1 },
  full: { type: 'boolean', help: 'verifies everything' },
} as const;
const commands = { verify: 'verifies the log', keygen: 'makes a signing key' };

const parse = (...argv: string[]) => parseCommandLine(argv, flags, commands);

function usage(...argv: string[]): string {
  try {
    parse(...argv);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return 'accepted';
}

test('common flags, own flags, command and positionals', () => {
  const line = parse(
    'verify',
    'x',
    '--config=a.yaml',
    '--override',
    'a=b',
    '--override=c=d',
    '--depth',
    '100',
    '--full',
  );
  assert.equal(line.config, 'a.yaml');
  assert.deepEqual(line.overrides, ['a=b', 'c=d']);
  assert.deepEqual(line.flags, { mode: undefined, depth: 100, full: true });
  assert.equal(line.command, 'verify');
  assert.deepEqual(line.positionals, ['x']);
  assert.equal(parse('-h').help, true);
});

test('a wrong command line says what was meant', () => {
  assert.equal(usage('--confg', 'x'), 'unknown flag --confg; did you mean --config?');
  assert.equal(usage('--xyzzyplugh'), 'unknown flag --xyzzyplugh; see --help');
  assert.equal(usage('-q'), 'unknown flag -q; see --help');
  assert.equal(usage('--config'), '--config needs a value');
  assert.equal(usage('--config', '--full'), '--config needs a value');
  assert.equal(usage('--full=yes'), '--full takes no value');
  assert.equal(usage('--mode', 'both'), '--mode must be one of writer, reader');
  assert.equal(usage('--depth', '0'), '--depth must be a whole number from 1 to 9007199254740991');
  assert.equal(usage('--depth', ''), '--depth must be a whole number from 1 to 9007199254740991');
  assert.equal(usage('verfy'), 'unexpected argument "verfy"; did you mean verify?');
});

test('help lists commands and flags', () => {
  const text = helpText({ program: 'sentinel-audit-ledger', summary: 'The signed log.' }, flags, commands);
  assert.match(text, /^usage: sentinel-audit-ledger \[COMMAND\] \[--config FILE\] \[FLAGS\]$/m);
  assert.match(text, /^ {2}--mode writer\|reader +what this process does$/m);
  assert.match(text, /^ {2}verify +verifies the log$/m);
  for (const name of ['override', 'print-config', 'ready-file', 'environment', 'version'])
    assert.ok(text.includes(`--${name}`));
});

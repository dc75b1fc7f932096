import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ConfigError } from './problems.js';
import { folderWith } from './testing.js';
import { DEFAULT_TOLERANCES, loadTolerances } from './tolerances.js';

const folder = new URL('../../../../config/thresholds/', import.meta.url).pathname;

function problems(context: TestContext, text: string): string[] {
  try {
    loadTolerances('t.yaml', folderWith(context, { 't.yaml': text }));
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
}

test('the file of the release says the defaults, and no file means them', () => {
  assert.deepEqual(loadTolerances('probe_tolerances.yaml', folder), DEFAULT_TOLERANCES);
  assert.equal(loadTolerances(''), DEFAULT_TOLERANCES);
});

test('what is left out keeps its default', (context) => {
  const cwd = folderWith(context, { 't.yaml': 'reruns: 3\n' });
  assert.deepEqual(loadTolerances('t.yaml', cwd), { ...DEFAULT_TOLERANCES, reruns: 3 });
});

test('a margin for results is refused with the reason, whatever it is called', (context) => {
  const found = problems(
    context,
    'fma32: { max_ulp: 1 }\nfamilies: { sfu: exact }\nrelative_tolerance: 1e-6\nsiblings: 16\n',
  );
  assert.deepEqual(
    found.map((line) => line.replace(/: SENTINEL compares bits: .*/, '')),
    ['t.yaml:1: fma32', 't.yaml:2: families', 't.yaml:3: relative_tolerance'],
  );
});

test('mistakes are named with line and key', (context) => {
  assert.deepEqual(problems(context, 'sibling: 4\nreruns: 0\n'), [
    't.yaml:1: sibling: unknown key; did you mean siblings?',
    't.yaml:2: reruns: expected a whole number from 1 to 16, found number 0',
  ]);
});

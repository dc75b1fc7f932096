import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeProblem, ProblemList } from './problems.js';
import { YamlFile } from './yaml-source.js';

function read(content: string) {
  const problems = new ProblemList();
  const yaml = new YamlFile('f.yaml', content, problems);
  const value = yaml.valid ? yaml.plain(yaml.root, 'root', 'error') : undefined;
  return { value, errors: problems.errors.map(describeProblem) };
}

test('YAML is read as 1.2: yes and off are words, octal needs its prefix', () => {
  assert.deepEqual(read('a: yes\nb: off\nc: 010\nd: 1_000\ne: 12:30\nf: true\ng: 2.5\n').value, {
    a: 'yes',
    b: 'off',
    c: 10,
    d: '1_000',
    e: '12:30',
    f: true,
    g: 2.5,
  });
});

test('a key that stands twice is reported with both lines', () => {
  assert.deepEqual(read('a: 1\nb: 2\na: 3\n').errors, [
    'f.yaml:3: root.a: key is set twice in this file, first in line 1',
  ]);
});

test('malformed YAML is reported with its line and without its text', () => {
  const cases = {
    'a: [1, s3cret\nb: 2\n': /^f\.yaml:\d: not valid YAML: /,
    'a: "s3cret\n': /^f\.yaml:\d: not valid YAML: a missing character/,
    'a: 1\n\tb: s3cret\n': /^f\.yaml:\d: not valid YAML: /,
    'a: 1\n---\nb: s3cret\n': /^f\.yaml:\d: not valid YAML: more than one document/,
    'a: !s3cret x\n': /^f\.yaml:1: not valid YAML: an unknown tag/,
    'a: *s3cret\n': /^f\.yaml:1: root: an alias to an anchor/,
    'a: b: s3cret\n': /^f\.yaml:1: not valid YAML: /,
  };
  for (const [content, expected] of Object.entries(cases)) {
    const { errors } = read(content);
    assert.ok(errors.length > 0, content);
    for (const error of errors) {
      assert.match(error, expected, content);
      assert.doesNotMatch(error, /s3cret/);
    }
  }
});

test('aliases work, and a bomb of them does not', () => {
  assert.deepEqual(read('a: &x { k: 1 }\nb: *x\n').value, { a: { k: 1 }, b: { k: 1 } });
  const level = (name: string, of: string): string => `${name}: &${name} [${Array(9).fill(`*${of}`).join(', ')}]`;
  const bomb = ['a: &a [x, x, x]', ...'bcdefgh'.split('').map((name, i) => level(name, 'abcdefg'[i] ?? ''))].join('\n');
  const before = process.cpuUsage();
  assert.deepEqual(read(bomb).errors, ['f.yaml:2: root: more than 50 aliases in one file']);
  assert.ok(process.cpuUsage(before).user < 2_000_000);
});

test('an alias that holds itself ends', () => {
  assert.deepEqual(read('a: &a { b: *a }\n').errors, ['f.yaml:1: root: nested more than 32 deep']);
});

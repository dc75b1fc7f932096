import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { choice, type Format, FormatError, flag, integer, list, mapping, real, text } from './formats.js';

function refused(format: Format<unknown>, value: unknown): string {
  try {
    format.check(value);
  } catch (error) {
    if (error instanceof FormatError) return error.message;
    throw error;
  }
  return 'accepted';
}

function refusedText(format: Format<unknown>, value: string): boolean {
  try {
    format.parse(value);
    return false;
  } catch (error) {
    return error instanceof FormatError;
  }
}

test('a boolean is true or false and nothing that looks like it', () => {
  assert.equal(flag.check(true), true);
  assert.equal(flag.parse('false'), false);
  for (const value of ['true', 'yes', 1, 0, null, []]) assert.match(refused(flag, value), /^expected true or false/);
  for (const value of ['', 'TRUE', 'False', 'yes', 'on', '1', ' true']) assert.ok(refusedText(flag, value), value);
});

test('a number is finite, decimal and never empty', () => {
  const format = real(0, 10);
  assert.equal(format.parse('2.5'), 2.5);
  assert.equal(format.parse('1e-5'), 1e-5);
  for (const value of ['', ' ', 'NaN', 'Infinity', '0x10', '+1', '1.', '.5', '1,5', '01', '1e999', '1_0', 'ten']) {
    assert.ok(refusedText(format, value), JSON.stringify(value));
  }
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, '2.5', '', null, true, -0.1, 10.1]) {
    assert.match(refused(format, value), /^expected a number from 0 to 10, found /);
  }
});

test('a whole number has no fraction and keeps its exact value', () => {
  const format = integer(0, Number.MAX_SAFE_INTEGER);
  assert.equal(format.parse('9007199254740991'), Number.MAX_SAFE_INTEGER);
  assert.ok(refusedText(format, '9007199254740993'));
  assert.ok(refusedText(format, '1.5'));
  assert.equal(format.parse('1e3'), 1000);
});

test('numbers are written and read back unchanged', () => {
  fc.assert(
    fc.property(fc.double({ min: -1e15, max: 1e15, noNaN: true }), (value) => {
      const format = real(-1e15, 1e15);
      assert.equal(format.parse(JSON.stringify(value)), Object.is(value, -0) ? 0 : value);
    }),
  );
});

test('a text is not a number, and says how to write one', () => {
  assert.equal(refused(text({ expects: 'a name' }), 12), 'expected a name (put it in quotes), found number 12');
  assert.equal(refused(text({ expects: 'a name' }), ''), 'expected a name, found an empty text');
  assert.equal(text({ expects: 'a name', allowEmpty: true }).check(''), '');
  assert.match(refused(text({ expects: 'a name' }), 'a\nb'), /without control characters/);
  assert.match(refused(text({ expects: 'a name' }), 'x'.repeat(5000)), /at most 4096 characters/);
});

test('a refused value is shown shortened', () => {
  assert.ok(refused(choice('a', 'b'), 'x'.repeat(5000)).length < 120);
  assert.equal(refused(choice('a', 'b'), 'c'), 'expected one of a, b, found text "c"');
  assert.equal(refused(choice('a', 'b'), { a: 1 }), 'expected one of a, b, found a mapping');
});

test('a list as text is separated by commas, and an empty text is the empty list', () => {
  const format = list(text({ expects: 'a name' }));
  assert.deepEqual(format.parse('a:1, b:2'), ['a:1', 'b:2']);
  assert.deepEqual(format.parse(''), []);
  assert.ok(refusedText(format, 'a,,b'));
  assert.match(refused(format, 'a,b'), /^expected a list/);
  assert.match(refused(format, [1]), /put it in quotes/);
});

test('a mapping as text is split at the first "=" of each part', () => {
  const format = mapping(text({ expects: 'a key' }));
  assert.deepEqual(format.parse('a=x==,b=y'), { a: 'x==', b: 'y' });
  assert.deepEqual(format.parse('a=x\nb=y\n'), { a: 'x', b: 'y' });
  assert.deepEqual(format.parse(''), {});
  for (const value of ['a', '=x', 'a=x,a=y', '__proto__=x', 'constructor=x', 'a.b=x']) {
    assert.ok(refusedText(format, value), value);
  }
  assert.equal(refused(format, ['a']), 'expected a mapping of names, each a key, found a list');
});

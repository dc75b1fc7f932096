import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { edited, elements, member, members, removal } from './json-spans.js';

const object = fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true });
const spaces = fc.constantFrom(undefined, 1, '\t');

test('the spans of members and elements hold their values', () => {
  fc.assert(
    fc.property(object, spaces, (value, indent) => {
      const text = Buffer.from(JSON.stringify(value, null, indent));
      const found = Object.fromEntries(
        members(text).map(({ key, start, end }) => [key, JSON.parse(text.toString('utf8', start, end))]),
      );
      assert.equal(JSON.stringify(found), JSON.stringify(value));
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), spaces, (value, indent) => {
      const text = Buffer.from(JSON.stringify(value, null, indent));
      const found = elements(text).map(({ start, end }) => JSON.parse(text.toString('utf8', start, end)));
      assert.equal(JSON.stringify(found), JSON.stringify(value));
    }),
  );
});

test('a member taken out leaves the others, whatever their place', () => {
  fc.assert(
    fc.property(object, fc.nat(), (value, pick) => {
      const text = Buffer.from(JSON.stringify(value));
      const all = members(text);
      if (all.length === 0) return;
      const k = pick % all.length;
      const left = edited(text, [removal(all, k)]);
      const expected = Object.fromEntries(Object.entries(value).filter(([key]) => key !== all[k]?.key));
      assert.equal(left.toString(), JSON.stringify(expected));
    }),
  );
});

test('a value is replaced and every other byte stays', () => {
  const text = Buffer.from('{ "seed": 12345678901234567890, "x":1.0 ,"a": {"x": 2} }');
  const span = member(text, 'x');
  assert.ok(span);
  assert.equal(
    edited(text, [{ start: span.start, end: span.end, text: 'null' }]).toString(),
    '{ "seed": 12345678901234567890, "x":null ,"a": {"x": 2} }',
  );
});

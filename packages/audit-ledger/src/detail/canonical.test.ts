import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalJson, DetailError, type JsonValue, MAX_DETAIL_BYTES, parseDetail } from './canonical.js';

const parse = (text: string): unknown => parseDetail(Buffer.from(text));

describe('details', () => {
  it('in canonical form are accepted, whatever they hold', () => {
    const record = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 5 }));
    fc.assert(
      fc.property(record, (value) => {
        const text = canonicalJson({ ...value, event: 'x' } as JsonValue);
        assert.equal(canonicalJson(parse(text) as JsonValue), text);
      }),
    );
  });

  it('sort keys by UTF-16 code units, also those that look like numbers, as RFC 8785 §3.2.3 shows', () => {
    const value = {
      '\u20ac': 1,
      '\r': 2,
      '\ufb33': 3,
      '1': 4,
      '\ud83d\ude00': 5,
      '\u0080': 6,
      '\u00f6': 7,
      '10': 8,
      '9': 9,
      event: 'x',
    };
    assert.equal(
      canonicalJson(value),
      '{"\\r":2,"1":4,"10":8,"9":9,"event":"x","\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}',
    );
  });

  it('write numbers as ECMAScript does', () => {
    assert.equal(
      canonicalJson([Number('333333333.33333329'), 1e30, 4.5, 2e-3, 1e-27, -0]),
      '[333333333.3333333,1e+30,4.5,0.002,1e-27,0]',
    );
  });

  for (const [what, text, reason] of [
    ['an array', '["event"]', /object/],
    ['no JSON', '{"event":', /not JSON/],
    ['no event', '{"a":1}', /event/],
    ['an event that is no string', '{"event":1}', /event/],
    ['an inherited event', '{"__proto__":{"event":"x"}}', /event/],
    ['white space', '{"event": "x"}', /canonical/],
    ['unsorted keys', '{"event":"x","a":1}', /canonical/],
    ['a repeated key', '{"event":"x","event":"x"}', /canonical/],
    ['a number in another form', '{"a":1.0,"event":"x"}', /canonical/],
    ['a needless escape', '{"event":"\\u0061"}', /canonical/],
    ['a lone surrogate', '{"event":"\\ud800"}', /surrogate/],
    ['deep nesting', `{"a":${'['.repeat(5000)}${']'.repeat(5000)},"event":"x"}`, /nests/],
    ['too many bytes', `{"event":"${'x'.repeat(MAX_DETAIL_BYTES)}"}`, /longer/],
  ] as const) {
    it(`refuse ${what}`, () => {
      assert.throws(
        () => parse(text),
        (error: unknown) => error instanceof DetailError && reason.test(error.message),
      );
    });
  }

  it('refuse bytes that are not UTF-8', () => {
    assert.throws(() => parseDetail(Buffer.from([0x7b, 0xff, 0x7d])), /UTF-8/);
  });
});

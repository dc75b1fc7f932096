import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalJson, DetailError, type JsonValue, parseDetail } from './canonical.js';
import { scanEvent } from './canonical-scan.js';

/** What the slow way says: the event, or undefined where it refuses. */
function slow(bytes: Uint8Array): string | undefined {
  try {
    return parseDetail(bytes).event;
  } catch (error) {
    assert.ok(error instanceof DetailError);
    return undefined;
  }
}

function assertNeverWrong(bytes: Uint8Array): void {
  const event = scanEvent(bytes);
  if (event !== undefined) assert.equal(event, slow(bytes), Buffer.from(bytes).toString());
}

const member = fc.constantFrom('event', 'n', 'node', 'é', '__proto__', '10', '9', 'a"b');
const object = fc
  .dictionary(member, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 })
  .map((value) => Buffer.from(canonicalJson({ ...(value as { [name: string]: JsonValue }), event: 'test' })));

describe('a scan of a detail', () => {
  it('knows what the engine logs', () => {
    const detail = {
      confidence: 0.995,
      event: 'quarantined',
      nested: { list: [1, -2, 'ü', true, null], n: 0 },
      sm: 17,
    };
    assert.equal(scanEvent(Buffer.from(canonicalJson(detail))), 'quarantined');
  });

  it('never accepts what the slow way refuses, nor reads it otherwise', () => {
    fc.assert(fc.property(object, assertNeverWrong), { numRuns: 2_000 });
    const damaged = fc.tuple(
      object,
      fc.nat(),
      fc.constantFrom(...Buffer.from('{}[]",:.-+eE0129 \\truefalsn\n\u007f'), 0xc3),
    );
    fc.assert(
      fc.property(damaged, ([bytes, at, byte]) => {
        const copy = Buffer.from(bytes);
        copy[at % copy.length] = byte;
        assertNeverWrong(copy);
      }),
      { numRuns: 20_000 },
    );
  });

  it('says nothing of what is not ordinary or not canonical', () => {
    for (const text of [
      '{"event":"a","a":1}',
      '{"event":"a","event":"b"}',
      '{"event":"a","n":-0}',
      '{"event":"a","n":-0.0}',
      '{"event":"a","n":1.50}',
      '{"event":"a","n":01}',
      '{"event":"a","n":1.}',
      '{"event":"a","n":1e3}',
      '{"event":"a","n":-}',
      '{"event":"a","n":1234567890123456}',
      '{"event":"a\\u0041"}',
      '{"event":"a",}',
      '{"event":"a"} ',
      '{"event": "a"}',
      '{"event":1}',
      '{"eveny":"a"}',
      '["event"]',
      '{"a":{"event":"a"}}',
      `{"event":"a","n":${'['.repeat(40)}${']'.repeat(40)}}`,
      '{"event":"a","é":1}',
      '{"event":"a"',
      '{',
      '',
    ]) {
      assert.equal(scanEvent(Buffer.from(text)), undefined, text);
    }
    assert.equal(scanEvent(Buffer.from([...Buffer.from('{"event":"'), 0xff, ...Buffer.from('"}')])), undefined);
  });
});

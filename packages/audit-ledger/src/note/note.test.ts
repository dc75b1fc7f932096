import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { openCheckpoint, parseCheckpointBody, signCheckpoint } from './checkpoint.js';
import { generateSigningKeyText, MalformedKeyError, parseSigningKey, parseVerifierKey } from './keys.js';
import { NoteError, openNote, signNote } from './note.js';

const key = parseSigningKey(generateSigningKeyText('sentinel/test'));
const other = parseSigningKey(generateSigningKeyText('sentinel/other'));
const note = signCheckpoint({ origin: 'sentinel/test', size: 7, root: Buffer.alloc(32, 9) }, key);

describe('signed notes', () => {
  it('open under their key and no other', () => {
    assert.equal(openCheckpoint(note, parseVerifierKey(key.verifier.text)).size, 7);
    assert.throws(() => openCheckpoint(note, other.verifier), NoteError);
  });

  it('do not open once any one bit is flipped', () => {
    const bytes = Buffer.from(note);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const broken = Buffer.from(bytes);
      broken[bit >> 3] = (broken[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.throws(() => openCheckpoint(broken, key.verifier), NoteError, `bit ${bit}`);
    }
  });

  it('never throw anything but NoteError at whatever bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        assert.throws(() => openNote(bytes, key.verifier), NoteError);
      }),
    );
  });

  it('of another log, though by the same key, are no checkpoints of this one', () => {
    const foreign = signNote('sentinel/elsewhere\n7\nCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=\n', key);
    assert.throws(() => openCheckpoint(foreign, key.verifier), /elsewhere/);
  });

  it('hold sizes and roots in one form only', () => {
    const root = Buffer.alloc(32, 9).toString('base64');
    assert.equal(parseCheckpointBody(`o\n12\n${root}\nextension\n`).size, 12);
    for (const body of [
      `o\n012\n${root}\n`,
      `o\n-1\n${root}\n`,
      `o\n1\n${root}`,
      `o\n1\n${root}\n\n`,
      `\n1\n${root}\n`,
      'o\n1\nAAAA\n',
      `o\n9007199254740993\n${root}\n`,
    ]) {
      assert.throws(() => parseCheckpointBody(body), NoteError, body);
    }
  });
});

describe('keys', () => {
  it('are refused where id and key disagree, and errors never quote a secret', () => {
    const text = generateSigningKeyText('sentinel/test');
    const secret = text.slice(-44);
    const wrong = text.replace(/\+[0-9a-f]{8}\+/, '+00000000+');
    assert.throws(
      () => parseSigningKey(wrong),
      (error: unknown) => error instanceof MalformedKeyError && !error.message.includes(secret),
    );
    assert.throws(() => parseSigningKey('PRIVATE+KEY+x+y'), MalformedKeyError);
    assert.throws(
      () => parseVerifierKey(key.verifier.text.replace('sentinel/test', 'sentinel/tesu')),
      MalformedKeyError,
    );
    assert.throws(() => generateSigningKeyText('has blank'), MalformedKeyError);
  });
});

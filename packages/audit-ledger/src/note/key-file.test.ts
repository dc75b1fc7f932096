import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertPrivate, writeSigningKey } from './key-file.js';

describe('a key file', () => {
  it('is its owner’s alone; one of another owner may be lent by its group', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'sentinel-key-')), 'ledger.key');
    writeSigningKey(file, 'sentinel/test');
    const me = process.getuid?.() ?? 0;
    const refused = (mode: number, uid: number): boolean => {
      chmodSync(file, mode);
      try {
        assertPrivate(file, uid);
        return false;
      } catch (error) {
        assert.match((error as Error).message, /can be read by others \(mode 0\d{3}\)/);
        return true;
      }
    };
    assert.deepEqual(
      [0o600, 0o400, 0o640, 0o440, 0o620, 0o604].map((mode) => refused(mode, me)),
      [false, false, true, true, true, true],
    );
    assert.deepEqual(
      [0o440, 0o640, 0o660, 0o444].map((mode) => refused(mode, me + 1)),
      [false, false, true, true],
    );
  });
});

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { writeArchive } from './writer.js';

describe('an archive', () => {
  for (const name of ['copy', 'copy.tar'])
    it(`${name} is there whole, or not at all`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'sentinel-archive-'));
      const output = join(folder, name);
      const failing = writeArchive(output, async (archive) => {
        await archive.add('a/b', Buffer.from('c'));
        assert.ok(!existsSync(output));
        throw new Error('away');
      });
      await assert.rejects(failing, /away/);
      assert.deepEqual(readdirSync(folder), []);
      if (name === 'copy') mkdirSync(output);
      await writeArchive(output, (archive) => archive.add('a/b', Buffer.from('c')));
      assert.deepEqual(readdirSync(folder), [name]);
      await assert.rejects(
        writeArchive(output, () => Promise.resolve()),
        /is there already/,
      );
      assert.deepEqual(readdirSync(folder), [name]);
    });
});

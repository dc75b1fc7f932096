import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { SmallDisk } from './small-disk.js';
import { temporaryFolder } from './temporary-folder.js';

test('a small disk is full when it is told to be, and has room again afterwards', {
  skip: SmallDisk.missing ?? false,
}, async () => {
  await using folder = await temporaryFolder();
  using disk = SmallDisk.mount(folder.join('disk'), 2);
  const write = () => writeFileSync(folder.join('disk', 'file'), 'one more byte');
  write();
  disk.fill();
  assert.throws(() => writeFileSync(folder.join('disk', 'other'), Buffer.alloc(8192)), { code: 'ENOSPC' });
  disk.free();
  write();
});

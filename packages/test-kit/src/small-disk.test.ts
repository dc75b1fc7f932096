import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SmallDisk } from './small-disk.js';
import { startProcess } from './start-process.js';
import { temporaryFolder } from './temporary-folder.js';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const HALF = Buffer.alloc(512 * 1024);

test('a full disk takes not one more byte, and takes them again once it is freed', {
  // In CI it fails where it may not mount.
  skip: isRoot || process.env.CI === 'true' ? false : 'mounting is for root',
}, async () => {
  await using folder = await temporaryFolder();
  const disk = SmallDisk.mount(folder.join('disk'), 1);
  try {
    writeFileSync(join(disk.folder, 'before'), HALF);
    disk.fill();
    assert.throws(() => writeFileSync(join(disk.folder, 'more'), 'x'), /ENOSPC/);
    disk.free();
    writeFileSync(join(disk.folder, 'more'), HALF.subarray(4096));
  } finally {
    disk.unmount();
  }
});

test('without the right to mount it says what is needed', async () => {
  await using folder = await temporaryFolder();
  chmodSync(folder.path, 0o777);
  const module = JSON.stringify(new URL('small-disk.js', import.meta.url).href);
  const drop = isRoot ? `process.setgid(${NOBODY}); process.setuid(${NOBODY});` : '';
  const target = JSON.stringify(folder.join('disk'));
  const script = `const { SmallDisk } = await import(${module}); ${drop} SmallDisk.mount(${target}, 1);`;
  await using tried = await startProcess({ command: [process.execPath, '--input-type=module', '-e', script] });
  assert.equal((await tried.exited).code, 1);
  assert.match(tried.output, /mount .*mounted by root: see docs\/chaos\.md/);
});

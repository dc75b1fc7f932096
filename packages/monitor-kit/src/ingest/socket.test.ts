import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../testing/until.js';
import { freeSocket } from './socket.js';

test('a path that is no socket, or too long for one, is refused', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'file');
  writeFileSync(file, '');
  await assert.rejects(freeSocket(file, 'training_monitor.socket_path'), {
    code: 'FAILED_PRECONDITION',
    field: 'training_monitor.socket_path',
  });
  await assert.rejects(freeSocket(join(folder, 'x'.repeat(120)), 'k'), /longer than 107 bytes/);
});

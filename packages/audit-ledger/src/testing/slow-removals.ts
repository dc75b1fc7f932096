/**
 * For a process that is started with it: files of details go one by one, with a pause after each, so that a pruning can be met in its
 * midst, also by one who stands still for a while after the first.
 */
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';

const PAUSE_MS = 500;
const { unlink } = fs;

fs.unlink = async (path) => {
  await unlink(path);
  if (String(path).includes('/details/')) await delay(PAUSE_MS);
};
syncBuiltinESMExports();

/** For a process that is started with it: files go one by one, with a pause after each, so that a pruning can be met in its midst. */
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';

const PAUSE_MS = 20;
const { unlink } = fs;

fs.unlink = async (path) => {
  await unlink(path);
  await delay(PAUSE_MS);
};
syncBuiltinESMExports();

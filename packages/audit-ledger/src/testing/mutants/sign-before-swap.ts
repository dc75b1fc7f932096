/**
 * A writer that signs and acknowledges before the head is swapped: loaded before it starts, to prove that a check of lost
 * entries finds such a one.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { HeadFile } from '../../storage/file/head-file.js';

/** How far the swap stays behind. */
const LATE_MS = 30;

const swap = Reflect.get(HeadFile.prototype, 'swap');
let swapped: Promise<void> = Promise.resolve();

HeadFile.prototype.swap = async function (next, ...rest) {
  swapped = swapped.then(() => delay(LATE_MS)).then(() => swap.call(this, next, ...rest));
  swapped.catch(() => undefined);
  // The first head of a life is its own taking over, on which everything else rests.
  if (next.commits === 0) await swapped;
};

// Its last head is not there yet when it writes the next one.
HeadFile.prototype.assertNewest = () => Promise.resolve();

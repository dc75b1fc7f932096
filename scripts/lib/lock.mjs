import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** How often a waiter looks, in ms. */
const POLL_MS = 200;
/** The holder touches the lock this often, in ms; a lock untouched for STALE_MS belongs to nobody. */
const HEARTBEAT_MS = 2_000;
const STALE_MS = 60_000;

/**
 * Runs `work` while holding `file`, so that two set-ups of one clone follow each other.
 * A lock whose process is gone is taken over.
 * @template T
 * @param {string} file
 * @param {() => Promise<T>} work
 * @param {(holder: number) => void} onWait called once when another process holds the lock
 * @returns {Promise<T>}
 */
export async function withLock(file, work, onWait) {
  await acquire(file, onWait);
  const heartbeat = setInterval(() => touch(file), HEARTBEAT_MS);
  const release = () => fs.rmSync(file, { force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    process.removeListener('exit', release);
    release();
  }
}

async function acquire(file, onWait) {
  let told = false;
  while (!create(file)) {
    if (isStale(file)) {
      takeOver(file);
      continue;
    }
    if (!told) onWait(holderOf(file));
    told = true;
    await sleep(POLL_MS);
  }
}

function create(file) {
  try {
    fs.writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a stale lock; a second file makes sure that only one of several waiters does, and looks again first. */
function takeOver(file) {
  const guard = `${file}.takeover`;
  if (ageMs(guard) > STALE_MS) fs.rmSync(guard, { force: true });
  if (!create(guard)) return;
  try {
    if (isStale(file)) fs.rmSync(file, { force: true });
  } finally {
    fs.rmSync(guard, { force: true });
  }
}

function isStale(file) {
  const age = ageMs(file);
  if (age < 0) return false;
  const holder = holderOf(file);
  if (Number.isNaN(holder)) return age > STALE_MS; // created, its process id not written yet: that process may stand still
  return age > STALE_MS || !isAlive(holder);
}

function holderOf(file) {
  try {
    return Number.parseInt(fs.readFileSync(file, 'utf8'), 10);
  } catch {
    return Number.NaN;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** @returns {number} ms since the file was last touched; -1 when there is none */
function ageMs(file) {
  try {
    return Math.max(0, Date.now() - fs.statSync(file).mtimeMs);
  } catch {
    return -1;
  }
}

function touch(file) {
  const now = new Date();
  fs.utimes(file, now, now, () => {});
}

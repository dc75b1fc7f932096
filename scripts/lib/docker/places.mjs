import { createHash } from 'node:crypto';
import path from 'node:path';
import { ROOT } from '../paths.mjs';

/** What an engine of this clone's own keeps, and what is made for it once. */
export const FOLDER = path.join(ROOT, '.sentinel', 'docker');

/** Short: the path of a Unix socket has at most 107 bytes, wherever the clone lies. */
const RUN = path.join('/run', `sentinel-docker-${createHash('sha256').update(ROOT).digest('hex').slice(0, 8)}`);

/** @typedef {{ data: string, exec: string, socket: string, pid: string, log: string }} EnginePlaces */

/** @type {EnginePlaces} */
export const ENGINE = {
  data: path.join(FOLDER, 'data'),
  exec: path.join(RUN, 'exec'),
  socket: path.join(RUN, 'docker.sock'),
  pid: path.join(RUN, 'docker.pid'),
  log: path.join(FOLDER, 'dockerd.log'),
};

import { chmodSync, existsSync, mkdirSync, statSync, unlinkSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname } from 'node:path';
import { SentinelError } from '@sentinel/service-kit/errors';

/** Longest path of a Unix socket on Linux, bytes. */
const MAX_PATH_BYTES = 107;

/**
 * Makes the path free for a new socket: one that nobody listens on is what a killed analyser left.
 * @param key name in the configuration
 * @throws SentinelError where somebody does, or where it is no socket
 */
export async function freeSocket(path: string, key: string): Promise<void> {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES)
    throw refused(key, `${path} is longer than ${MAX_PATH_BYTES} bytes`, 'Use a shorter path.');
  mkdirSync(dirname(path), { recursive: true });
  if (!existsSync(path)) return;
  if (!statSync(path).isSocket()) throw refused(key, `${path} is there and is no socket`, 'Use a path of its own.');
  if (await answers(path))
    throw refused(key, `another analyser listens on ${path}`, 'One analyser serves all jobs of a node.');
  unlinkSync(path);
}

/** @param mode three octal digits */
export function openSocketTo(path: string, mode: string): void {
  chmodSync(path, Number.parseInt(mode, 8));
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(path);
    const settle = (answer: boolean) => {
      connection.destroy();
      resolve(answer);
    };
    connection.once('connect', () => settle(true)).once('error', () => settle(false));
  });
}

function refused(key: string, message: string, hint: string): SentinelError {
  return new SentinelError({
    code: 'FAILED_PRECONDITION',
    field: key,
    message,
    hint: `${hint} Set ${key}.`,
  });
}

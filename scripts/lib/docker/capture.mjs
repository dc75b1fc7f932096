import { execFile } from 'node:child_process';

const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/**
 * Runs a program to its end.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string, timeoutMs?: number }} [world]
 * @returns {Promise<{ ok: boolean, stdout: string, stderr: string }>} not ok: it is not there, failed, or ran out of time
 */
export function capture(command, args, { env, cwd, timeoutMs } = {}) {
  const options = { env, cwd, timeout: timeoutMs, maxBuffer: MAX_OUTPUT_BYTES };
  return new Promise((resolve) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      resolve({ ok: error === null, stdout, stderr: error === null ? stderr : stderr || error.message });
    });
  });
}

import { spawn } from 'node:child_process';
import os from 'node:os';

/** Signals that the terminal or the init system sends; the child decides what they mean. */
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs a command in this process's place: same terminal, same signals, same exit status.
 * A terminal sends Ctrl-C to the whole group, so SIGINT is only waited out here.
 */
export function handOver(command, args, options = {}) {
  const child = spawn(command, args, { stdio: 'inherit', ...options });
  for (const signal of FORWARDED) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      // Whoever is ended by a signal leaves its half line, a progress bar, to the prompt.
      if (signal !== null && process.stderr.isTTY) process.stderr.write('\r\x1b[K');
      resolve(code ?? 128 + os.constants.signals[signal]);
    });
  });
}

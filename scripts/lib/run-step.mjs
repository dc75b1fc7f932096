import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { diagnose } from './diagnose.mjs';
import { SetupError } from './setup-error.mjs';

/** Bytes of a step's output that are kept for its error message; the log file has all of it. */
const TAIL_BYTES = 64 * 1024;

/**
 * Runs one command of the set-up, its output into `log`.
 * @param {{ step: string, command: string, args: string[], cwd: string, env: NodeJS.ProcessEnv, log: string }} options
 * @throws {SetupError} when it cannot be started or fails
 */
export async function runStep({ step, ...command }) {
  const { code, tail } = await runLogged(command);
  if (code === 0) return;
  throw new SetupError(diagnose(step, tail, command.cwd), { log: path.relative(process.cwd(), command.log) });
}

/**
 * @param {{ command: string, args: string[], cwd: string, env: NodeJS.ProcessEnv, log: string }} options
 * @returns {Promise<{ code: number, tail: string }>} exit status (-1: not started, or ended by a signal) and the end of its output
 */
export async function runLogged({ command, args, cwd, env, log }) {
  const sink = fs.openSync(log, 'w');
  try {
    return await collect(spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] }), sink);
  } finally {
    fs.closeSync(sink);
  }
}

function collect(child, sink) {
  let tail = '';
  let sinkError = '';
  const keep = (chunk) => {
    tail = (tail + chunk.toString('utf8')).slice(-TAIL_BYTES);
    try {
      fs.writeSync(sink, chunk);
    } catch (error) {
      sinkError = `${error.code}: ${error.message}`;
    }
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: -1, tail: `${tail}\n${error.message}` }));
    child.on('close', (code) => resolve({ code: code ?? -1, tail: `${tail}\n${sinkError}` }));
  });
}

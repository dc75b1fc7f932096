import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { toolEnvironment } from './environment.mjs';
import { ROOT, SETUP_LOGS } from './paths.mjs';
import { runLogged } from './run-step.mjs';

/** Lines of a failed gate's output that are shown; its log has all of them. */
const SHOWN_LINES = 60;
const SHOWN_COLUMNS = 200;

/**
 * Runs every gate, also after one failed, and shows of each no more than a reader can use.
 * @param {import('./toolchain.mjs').Toolchain} toolchain
 * @param {{ script: string, text: string }[]} gates
 * @param {{ run?: (script: string) => Promise<{ code: number, tail: string }>, write?: (text: string) => void }} [world]
 * @returns {Promise<{ passed: number, failed: number, notes: string[] }>}
 */
export async function runGates(toolchain, gates, { run = runner(toolchain), write = toStdout } = {}) {
  const notes = [];
  for (const { script, text } of gates) {
    const start = performance.now();
    const { code, tail } = await run(script);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    write(`${code === 0 ? 'ok  ' : 'FAIL'}  ${script.padEnd(16)} ${seconds.padStart(6)} s  ${text}\n`);
    if (code === 0) continue;
    write(`${shown(tail)}\n`);
    notes.push(`FAILED gate ${script}: npm run ${script} repeats it, ${relative(logOf(script))} has its output`);
  }
  return { passed: gates.length - notes.length, failed: notes.length, notes };
}

function runner(toolchain) {
  const env = { ...toolEnvironment(process.env, toolchain, ROOT), NO_COLOR: '1' };
  return (script) =>
    runLogged({ command: toolchain.node, args: ['--run', script], cwd: ROOT, env, log: logOf(script) });
}

function shown(tail) {
  const lines = stripVTControlCharacters(tail).trimEnd().split('\n');
  const cut = lines.length > SHOWN_LINES ? ['…'] : [];
  return [...cut, ...lines.slice(-SHOWN_LINES)].map((line) => `      ${line.slice(0, SHOWN_COLUMNS)}`).join('\n');
}

const logOf = (script) => path.join(SETUP_LOGS, `check-${script.replace(':', '-')}.log`);
const relative = (file) => path.relative(ROOT, file);

function toStdout(text) {
  process.stdout.write(text);
}

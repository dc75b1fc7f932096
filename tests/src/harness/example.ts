import { execFile } from 'node:child_process';
import { ROOT } from './paths.js';

/** Runs `node examples/NAME/run.mjs WHAT` to its end. @param env of everything that it starts */
export function runExample(
  name: string,
  what: string,
  timeout: number,
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const options = { cwd: ROOT, timeout, maxBuffer: 64 * 1024 * 1024, env: { ...process.env, ...env } };
    execFile(process.execPath, [`examples/${name}/run.mjs`, what], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : 1, output: stdout + stderr });
    });
  });
}

/** The text without its line breaks, which are wherever a line of the table was full. */
export function flowing(output: string): string {
  return output.replace(/\s+/g, ' ');
}

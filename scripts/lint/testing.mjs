import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { toolEnvironment } from '../lib/environment.mjs';
import { ROOT } from '../lib/paths.mjs';
import { locateToolchain } from '../lib/toolchain.mjs';

/** Runs a tool of the workspace in `cwd`. @returns {{ status: number | null, stdout: string, output: string }} `output`: all of it */
export function runTool(cwd, command, ...args) {
  const { NODE_TEST_CONTEXT: _, FORCE_COLOR: __, ...env } = toolEnvironment(process.env, locateToolchain(), ROOT);
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    env: { ...env, NO_COLOR: '1' },
    encoding: 'utf8',
  });
  return { status, stdout, output: `${stdout}${stderr}` };
}

/** Makes `target`, a path of the clone, reachable in `folder` under the same path. */
export function link(folder, target) {
  const place = path.join(folder, target);
  fs.mkdirSync(path.dirname(place), { recursive: true });
  fs.symlinkSync(path.join(ROOT, target), place);
}

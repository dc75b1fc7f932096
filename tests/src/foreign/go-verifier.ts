/** Go's own transparency-log packages as a program: `tests/interop/tlog`, built once per process. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { INTEROP } from '../harness/paths.js';

const BUILD_TIMEOUT_MS = 300_000;
const HAS_GO = spawnSync('go', ['version'], { stdio: 'ignore' }).status === 0;

/** Why tests that need Go are skipped; never in CI. */
export const NO_GO: string | false = HAS_GO || process.env.CI === 'true' ? false : 'there is no go on the PATH';

let program: string | undefined;

/** Its path. @throws Error with the compiler's words */
export function goProgram(): string {
  program ??= build();
  return program;
}

function build(): string {
  const output = join(mkdtempSync(join(tmpdir(), 'sentinel-tlog-')), 'tlog');
  const { status, stderr, error } = spawnSync('go', ['build', '-o', output, '.'], {
    cwd: join(INTEROP, 'tlog'),
    env: { ...process.env, GOFLAGS: '-mod=readonly' },
    encoding: 'utf8',
    timeout: BUILD_TIMEOUT_MS,
  });
  if (status !== 0) throw new Error(`go build failed: ${error?.message ?? stderr}`);
  return output;
}

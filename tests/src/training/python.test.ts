/** The Python library of training jobs, by its own tools in its own pinned environments (packages/training-monitor/python). */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../harness/paths.js';

const CHECK = join(ROOT, 'packages/training-monitor/python/scripts/check.py');

/** What it wrote, and with which status it ended. */
function check(what: string, signal: AbortSignal): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('python3', [CHECK, what], { signal, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (text: string) => {
      output += text;
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

describe('the Python library sentinel_training', () => {
  for (const [what, says] of [
    ['types', 'has types that mypy --strict accepts, and nothing that ruff finds'],
    ['torch', 'passes its tests with PyTorch, four ranks over gloo'],
    ['jax', 'passes its tests with JAX, four devices'],
    ['wheel', 'builds as a wheel that imports without either'],
  ] as const)
    it(says, async (t) => {
      const { code, output } = await check(what, t.signal);
      assert.equal(code, 0, output);
    });
});

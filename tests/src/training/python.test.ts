/** The Python library of training jobs, by its own tools in its own pinned environments (packages/training-monitor/python). */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../harness/paths.js';
import { pythonCheck } from '../harness/python-check.js';

const CHECK = join(ROOT, 'packages/training-monitor/python/scripts/check.py');

describe('the Python library sentinel_training', () => {
  for (const [what, says] of [
    ['types', 'has types that mypy --strict accepts, and nothing that ruff finds'],
    ['torch', 'passes its tests with PyTorch, four ranks over gloo'],
    ['jax', 'passes its tests with JAX, four devices'],
    ['wheel', 'builds as a wheel that imports without either'],
  ] as const)
    it(says, async (t) => {
      const { code, output } = await pythonCheck(CHECK, what, t.signal);
      assert.equal(code, 0, output);
    });
});

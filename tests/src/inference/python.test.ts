/** The Python library of inference servers, by its own tools in its own pinned environments (packages/inference-monitor/python). */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../harness/paths.js';
import { pythonCheck } from '../harness/python-check.js';

const CHECK = join(ROOT, 'packages/inference-monitor/python/scripts/check.py');

describe('the Python library sentinel_inference', () => {
  for (const [what, says] of [
    ['types', 'has types that mypy --strict accepts, and nothing that ruff finds'],
    ['plain', 'passes its tests where no inference server is'],
    ['vllm', 'passes its tests with vLLM, in process and with fault injection'],
    ['serve', 'passes its tests with vLLM in processes of its own, two workers among them'],
    ['triton', 'passes its tests with Triton and pytriton'],
    ['wheel', 'builds as a wheel that imports without any of them'],
  ] as const)
    it(says, async (t) => {
      const { code, output } = await pythonCheck(CHECK, what, t.signal);
      assert.equal(code, 0, output);
    });
});

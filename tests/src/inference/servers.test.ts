import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startMlserver, startTriton, startVllm, TINY } from './servers.js';

const HEADERS = { 'content-type': 'application/json' };

/** Logits of the models "tokens" for one token. */
async function logits(url: string): Promise<readonly number[]> {
  const inputs = [{ name: 'tokens', shape: [1, 1], datatype: 'INT64', data: [7] }];
  const request = { method: 'POST', headers: HEADERS, body: JSON.stringify({ inputs }) };
  const answer = await fetch(`${url}/v2/models/tokens/infer`, request);
  const body = (await answer.json()) as { outputs?: [{ data: number[] }] };
  assert.equal(answer.status, 200, JSON.stringify(body));
  return body.outputs?.[0].data ?? [];
}

describe('an inference server for tests', () => {
  it('is a real Triton, and a real MLServer that computes the same', async () => {
    await using triton = await startTriton();
    await using mlserver = await startMlserver();
    const [one, other] = [await logits(triton.url), await logits(mlserver.url)];
    assert.equal(one.length, 64);
    assert.ok(one.every((value, index) => Math.abs(value - (other[index] ?? 0)) < 1e-4));
  });

  for (const dtype of ['float32', 'bfloat16'] as const)
    it(`is a real vLLM in ${dtype}`, async () => {
      await using vllm = await startVllm({ dtype });
      const body = JSON.stringify({ model: TINY, prompt: 'silent data', max_tokens: 4, logprobs: 2, temperature: 0 });
      const answer = await fetch(`${vllm.url}/v1/completions`, { method: 'POST', body, headers: HEADERS });
      const { choices } = (await answer.json()) as { choices: [{ logprobs: { token_logprobs: number[] } }] };
      const { token_logprobs: found } = choices[0].logprobs;
      assert.equal(found.length, 4);
      assert.ok(found.every((value) => value < 0));
    });
});

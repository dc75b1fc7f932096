/** Chats that one vLLM answered are computed again by a second one, alike, until a bit of its weights flips. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { freePort } from '@sentinel/test-kit';
import { ROOT } from '../harness/paths.js';
import type { Service } from '../harness/service.js';
import { Stack } from '../harness/stack.js';
import { until } from '../harness/until.js';
import { sumOf } from './metric-sum.js';
import { startVllm, TINY } from './servers.js';

/** Eight rounds of a second each, and a busy machine, on which all of them together take two minutes, more. */
const ROUNDS_MS = 300_000;
/** With vLLM fetched. */
const TIMEOUT_MS = 900_000;
/** A line of the log may come later than what the metrics say. */
const LINE_MS = 30_000;
const JSON_BODY = { 'content-type': 'application/json' };
const ASKED = 'sentinel_inference_replicas_asked_total';
const FAULTS = join(ROOT, 'tests/fixtures/vllm');

/** Computed again by its tokens, and by the request itself: parts that may be no text are in no token. */
const FORMS = {
  tokens: (text: string) => text,
  request: (text: string) => [{ type: 'refusal', refusal: text }],
} as const;

/** Chats all the time, by turns with each of the servers. */
function chatting(addresses: readonly string[]) {
  const leaving = new AbortController();
  const state = { form: FORMS.tokens as (text: string) => unknown };
  const done = (async () => {
    for (let i = 0; !leaving.signal.aborted; i += 1) {
      const messages = [{ role: 'user', content: state.form(`request ${i} of a user`) }];
      const body = JSON.stringify({ model: TINY, messages, max_tokens: 8, temperature: 1 });
      const address = addresses[i % addresses.length];
      const request = { method: 'POST', headers: JSON_BODY, body };
      const answer = await fetch(`http://${address}/v1/chat/completions`, request);
      assert.equal(answer.status, 200, await answer.text());
    }
  })();
  return { state, done, leave: () => leaving.abort() };
}

describe('chats on two vLLM', { timeout: 2 * TIMEOUT_MS }, () => {
  it('are computed again alike, whole or by their tokens, and otherwise by the one with a flipped bit', {
    timeout: TIMEOUT_MS,
  }, async () => {
    await using stack = await Stack.prepare();
    const nodes = ['node-a', 'node-b'] as const;
    const [a, b] = [await freePort(), await freePort()];
    const env = { VLLM_SERVER_DEV_MODE: '1', PYTHONPATH: FAULTS };
    await using sound = await startVllm();
    await using harmed = await startVllm({ args: ['--worker-extension-cls', 'weight_faults.WeightFaults'], env });
    const listens = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
    const monitors = nodes.map((node, i) =>
      stack.inferenceMonitor(node, {
        ...{ framework: 'vllm', upstream_url: [sound, harmed][i]?.url ?? '', listen_address: listens[i] ?? '' },
        ...{
          sampling_rate: 1,
          replica_name: node,
          canary: { enabled: false, interval_s: 1 },
          replay: { interval_s: 1 },
        },
        replicas: { listen_address: `127.0.0.1:${[a, b][i]}`, endpoints: [`127.0.0.1:${a}`, `127.0.0.1:${b}`] },
      }),
    );
    await Promise.all(monitors.map((monitor) => monitor.start()));
    const users = chatting(listens);
    const each = async (what: string, name: string, atLeast: number, labels = {}) => {
      const enough = async () =>
        (await Promise.all(monitors.map((monitor) => sumOf(monitor, name, labels)))).every((sum) => sum >= atLeast);
      await Promise.race([until(what, ROUNDS_MS, enough, 300), users.done]);
    };
    const compared = async () => Promise.all(monitors.map((monitor) => sumOf(monitor, ASKED, { outcome: 'answered' })));
    try {
      await each('both repeat themselves', 'sentinel_inference_repeatable', 1, { kind: 'replay' });
      for (const form of Object.values(FORMS)) {
        users.state.form = form;
        const before = Math.max(...(await compared()));
        await each('replays of this form', ASKED, before + 4, { outcome: 'answered' });
      }
      for (const monitor of monitors) assert.equal(await sumOf(monitor, 'sentinel_inference_anomalies_total'), 0);

      const order = { method: 'POST', headers: JSON_BODY, body: JSON.stringify({ method: 'flip_bit' }) };
      assert.equal((await fetch(`${harmed.url}/collective_rpc`, order)).status, 200);
      const told = async () => (await sumOf(monitors[1] as Service, 'sentinel_inference_anomalies_total')) > 0;
      await Promise.race([until('the flipped bit is told', ROUNDS_MS, told, 300), users.done]);
      // Otherwise than the other replica, or than itself: that request was answered before the bit flipped.
      const says = 'the answer computed again';
      await (monitors[1] as Service).line(says, LINE_MS, ({ msg }) => /answer to a request computed again/.test(msg));
    } finally {
      users.leave();
      await users.done;
      for (const monitor of monitors) {
        // As Ctrl-C: the front ends too.
        monitor.signal('SIGINT');
        await monitor.ended();
      }
    }
  });
});

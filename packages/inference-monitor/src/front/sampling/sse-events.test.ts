import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answering, isSet, post } from '../../testing/answering.js';

const EVENT_FORMS: Readonly<Record<string, (json: object, k: number) => string>> = {
  'comments before data': (json) => `: ping\ndata: ${JSON.stringify(json)}\n\n`,
  'other fields': (json, k) => `event: chunk\r\nid: ${k}\r\ndata:${JSON.stringify(json)}\r\nretry: 9\r\n\r\n`,
  'data in several lines': (json) =>
    `${JSON.stringify(json, null, 1).replaceAll(/^/gm, 'data: ')}\ndata: \n: behind\n\n`,
  'CR alone': (json) => `data: ${JSON.stringify(json)}\r\r`,
  'a byte order mark': (json, k) => `${k === 0 ? '\ufeff' : ''}data: ${JSON.stringify(json)}\n\n`,
  'no empty line at the end': (json, k) => `data: ${JSON.stringify(json)}\n${k === 2 ? '' : '\n'}`,
};

for (const [form, event] of Object.entries(EVENT_FORMS))
  test(`events with ${form} are learnt, sampled and rewritten`, async () => {
    const { direct, through, samples } = await answering(({ logprobs }) => {
      const told = isSet(logprobs) ? { content: [{ token: 'ä', logprob: -1, top_logprobs: [] }] } : null;
      const of = (k: number) => ({ choices: [{ index: 0, delta: { content: `${k} ä` }, logprobs: told }], model: 'm' });
      return [0, 1, 2].map((k) => event(of(k), k)).join('');
    });
    const body = JSON.stringify({ model: 'm', messages: [], stream: true });
    const expected = await post(direct, '/v1/chat/completions', body);
    for (let k = 0; k < 3; k += 1) assert.deepEqual(await post(through, '/v1/chat/completions', body), expected);
    assert.equal(samples.length, 2);
  });

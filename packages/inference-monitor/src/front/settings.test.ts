import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '@sentinel/monitor-kit/testing/until';
import { loadConfig } from '@sentinel/service-kit/config';
import { SentinelError } from '@sentinel/service-kit/errors';
import { frontSettings } from './settings.js';

function settingsOf(upstream: string) {
  const file = join(temporaryFolder(), 's.yaml');
  writeFileSync(file, JSON.stringify({ inference_monitor: { tls: { enabled: false }, upstream_url: upstream } }));
  return frontSettings(loadConfig({ section: 'inference_monitor', argv: ['--config', file], env: {} }).config, '1');
}

test('the inference server is an origin, with or without a slash at its end', () => {
  for (const given of ['http://vllm:8000', 'http://vllm:8000/']) {
    const settings = settingsOf(given);
    assert.ok(typeof settings !== 'string' && settings.upstream === 'http://vllm:8000');
  }
});

test('a path, and a password, which is not shown, are refused with what to write', () => {
  const refusalOf = (upstream: string): SentinelError => {
    try {
      settingsOf(upstream);
    } catch (error) {
      return SentinelError.from(error);
    }
    return assert.fail(`${upstream} was taken`);
  };
  for (const [upstream, says] of [
    ['http://vllm:8000/v1', /has a path or a query:/],
    ['http://vllm:8000?key=secret', /has a path or a query:/],
    ['http://user:secret@vllm:8000/v1', /has a user name or a password:/],
    ['http://user@vllm:8000', /has a user name or a password:/],
  ] as const) {
    const { code, field, message, sentence } = refusalOf(upstream);
    assert.deepEqual([code, field], ['FAILED_PRECONDITION', 'inference_monitor.upstream_url']);
    assert.match(message, says);
    assert.match(sentence, /Set it to http:\/\/vllm:8000\./);
    assert.doesNotMatch(sentence, /secret/);
  }
});

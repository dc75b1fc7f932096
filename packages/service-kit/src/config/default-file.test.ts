import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { renderDefaultFile } from './default-file.js';
import { loadConfig } from './load.js';
import { leavesOf } from './schema.js';
import { sectionNames, sectionOf } from './sections/index.js';
import { answerOf } from './testing.js';

const configFolder = new URL('../../../../config/', import.meta.url);
const defaultFile = readFileSync(new URL('sentinel.default.yaml', configFolder), 'utf8');

test('config/sentinel.default.yaml is what the schema says', () => {
  const hint = 'run: node packages/service-kit/dist/config/write-default-file.js';
  assert.equal(defaultFile, renderDefaultFile(), hint);
});

test('the default file holds every key with its default, each under a comment', () => {
  const parsed: unknown = parse(defaultFile);
  const lines = defaultFile.split('\n');
  for (const section of sectionNames) {
    for (const { key, leaf } of leavesOf(sectionOf(section).children)) {
      const value = [section, ...key.split('.')].reduce<unknown>(
        (node, name) => (node as Readonly<Record<string, unknown>>)[name],
        parsed,
      );
      assert.deepEqual(value, leaf.default, `${section}.${key}`);
    }
  }
  const settings = lines.filter((line) => /^ *[a-z_]+:/.test(line));
  assert.ok(settings.length > 200);
  for (const [index, line] of lines.entries()) {
    if (/^ *[a-z_]+:/.test(line)) assert.match(lines[index - 1] ?? '', /^ *# \S/, line);
  }
});

const cwd = new URL('.', configFolder).pathname;

test('the default file alone is a valid configuration of every section', () => {
  for (const section of sectionNames) {
    const text = answerOf({ section, cwd, argv: ['--config', 'sentinel.default.yaml', '--print-config'] });
    assert.match(text, /^# read: sentinel\.default\.yaml\n/);
  }
});

test("the guide's agent command works as written", () => {
  const argv = ['--config', 'sentinel.default.yaml', '--override', 'correlation_engine_endpoint=localhost:50051'];
  const { config, warnings } = loadConfig({
    section: 'probe_agent',
    argv: [...argv, '--override', 'tls.enabled=false'],
    env: {},
    cwd,
  });
  assert.equal(config.tls.enabled, false);
  assert.equal(config.schedule_file, new URL('probe_schedules/default.yaml', configFolder).pathname);
  assert.deepEqual(warnings, []);
});

test('the local overlay keeps every port on loopback, in plaintext, and enforces', () => {
  const argv = ['--config', 'sentinel.default.yaml', '--environment', 'local', '--print-config'];
  const text = ['probe_agent', 'correlation_engine', 'audit_ledger'] as const;
  const printed = text.map((section) => answerOf({ section, cwd, argv })).join('');
  const addresses = [...printed.matchAll(/(listen_address|endpoint): "([^"]+)"/g)].map((match) => match[2]);
  assert.equal(addresses.length, 10);
  for (const address of addresses) assert.match(address ?? '', /^127\.0\.0\.1:\d+$/);
  assert.equal(
    [...printed.matchAll(/_agent\.tls\.enabled: false|engine\.tls\.enabled: false|ledger\.tls\.enabled: false/g)]
      .length,
    3,
  );
  assert.match(printed, /correlation_engine\.mode: "enforce"/);
  assert.match(printed, /correlation_engine\.gates\.deep_test_seconds: 0 /);
});

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { temporaryFolder } from '@sentinel/test-kit';
import { pino } from 'pino';
import { ConfigError, loadConfig } from './config/index.js';
import { reloadConfig } from './reload.js';

const PLAINTEXT = 'tls: { enabled: false }, listen_address: 127.0.0.1:0, http: { listen_address: 127.0.0.1:0 }';

test('a reload takes level and settings that may change, and says which wait and which do nothing', async () => {
  await using folder = await temporaryFolder();
  const file = folder.join('sentinel.yaml');
  const write = (engine: string, level: string): void =>
    writeFileSync(file, `correlation_engine: { ${PLAINTEXT}, ${engine} }\nlogging: { level: ${level} }\n`);
  const lines: { level: number; key?: string; msg: string }[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => void lines.push(JSON.parse(line)) });

  write('mode: observe', 'warn');
  const first = loadConfig({ section: 'correlation_engine', argv: ['--config', file], env: {} });
  write('mode: enforce, correlation: { buffer_size: 500 }, database: { max_connections: 5 }', 'info');
  const next = reloadConfig(first, log);
  assert.equal(next.config.mode, 'enforce');
  assert.equal(next.config.database.max_connections, 20);
  assert.equal(log.level, 'info');
  const said = lines.map(({ key, msg }) => `${key ?? ''} ${msg}`);
  assert.ok(said.includes('correlation_engine.mode setting changed'), said.join('\n'));
  assert.ok(said.includes('correlation_engine.database.max_connections this setting changes with the next restart'));
  assert.ok(said.some((line) => line.includes('correlation.buffer_size') && line.includes('does not act on it')));

  write('mode: observe', 'trace');
  lines.length = 0;
  const refuse = () => {
    throw new Error('a file of limits is wrong');
  };
  assert.throws(() => reloadConfig(next, log, refuse), /limits is wrong/);
  assert.deepEqual([log.level, lines.length], ['info', 0]);

  write('mode: nonsense', 'debug');
  assert.throws(() => reloadConfig(next, log), ConfigError);
  assert.equal(log.level, 'info');
});

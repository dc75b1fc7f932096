import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import type { LoggingOptions } from './logging.js';

/** What a program that logs prints on standard output and standard error. */
function logged(options: LoggingOptions, statements: string): { stdout: string; stderr: string } {
  const script = `
    import { createLogger } from ${JSON.stringify(new URL('./logging.js', import.meta.url).href)};
    const log = createLogger('engine', ${JSON.stringify(options)});
    ${statements}
    process.kill(process.pid, 'SIGKILL');`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
}

const JSON_LINES: LoggingOptions = { level: 'info', format: 'json', output: 'stdout' };

test('a line of JSON has level, time, service and fields, and is out before a kill -9', () => {
  const { stdout } = logged(JSON_LINES, `log.info({ node: 'n1', sequence: 7n }, 'committed'); log.debug('not shown');`);
  const { time, ...line } = JSON.parse(stdout) as Record<string, unknown>;
  assert.deepEqual(line, { level: 'info', service: 'engine', node: 'n1', sequence: '7', msg: 'committed' });
  assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
});

test('a line for people has clock, level, service, message, fields and the stack of an error', () => {
  const { stdout, stderr } = logged(
    { level: 'info', format: 'text', output: 'stderr' },
    `log.warn({ store: 'scylla', tries: 3 }, 'store is away'); log.error({ err: new Error('boom') }, 'failed');`,
  );
  assert.equal(stdout, '');
  assert.match(stderr, /^\d\d:\d\d:\d\d\.\d{3} warn {2}engine store is away store=scylla tries=3$/m);
  assert.match(stderr, /error engine failed\nError: boom\n {4}at /);
});

test('no secret is logged, however deep it lies', () => {
  const statements = `
    const secret = 'hunter2';
    const key = Buffer.from(secret);
    log.info({ hmac_key: secret, token: secret, nested: { deep: [{ deeper: { operator_token: secret, password: secret } }] } });
    log.info({ hmacKey: secret, fleet: { serviceToken: secret, hmac_keys: { a: secret }, bytes: key, view: new Uint8Array(key) } });
    log.info({ headers: { authorization: 'Bearer ' + secret } }, 'sent authorization: Bearer ' + secret);
    log.error({ err: Object.assign(new Error('connect postgres://sentinel:' + secret + '@db:5432/x failed'), { password: secret }) });
    log.error(new Error('outer', { cause: new Error('rediss://:' + secret + '@cache') }));`;
  for (const format of ['json', 'text'] as const) {
    const { stdout } = logged({ ...JSON_LINES, format }, statements);
    assert.ok(!stdout.includes('hunter2'), stdout);
    assert.ok(!stdout.includes(JSON.stringify([...Buffer.from('hunter2')]).slice(1, -1)), stdout);
    assert.match(stdout, /postgres:\/\/sentinel:\[secret\]@db:5432\/x failed/);
    assert.match(stdout, /sent authorization: Bearer \[secret\]/);
  }
});

test('the name of a setting is no secret, and a cycle ends', () => {
  const { stdout } = logged(
    JSON_LINES,
    `const a = { key: 'correlation_engine.mode', from: 'observe' }; a.self = a; log.info({ reloaded: [a] }, 'reloaded');`,
  );
  assert.match(stdout, /"key":"correlation_engine.mode","from":"observe"/);
});

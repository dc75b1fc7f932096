import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { loadConfig } from './load.js';
import { Answer, ConfigError } from './problems.js';
import { leavesOf, siblingKey } from './schema.js';
import { type SectionName, sectionNames, sectionOf } from './sections/index.js';
import { folderWith, problemsOf } from './testing.js';
import { variableFor } from './text-sources.js';

const agent = { section: 'probe_agent' } as const;
const PLAIN = 'probe_agent:\n  tls: { enabled: false }\n  schedule_file: sentinel.yaml\n';
const KEY = 'k-0123456789abcdef';

function withKeyFile(context: TestContext, extra = '', mode = 0o600): string {
  const cwd = folderWith(context, {
    'sentinel.yaml': `${PLAIN}  hmac_key_path: hmac.key\n${extra}`,
    'hmac.key': `${KEY}\n`,
  });
  chmodSync(join(cwd, 'hmac.key'), mode);
  return cwd;
}

const load = (cwd: string, env: Readonly<Record<string, string>> = {}, optionalSecretFiles: readonly string[] = []) =>
  loadConfig({ ...agent, cwd, argv: ['--config', 'sentinel.yaml'], env, optionalSecretFiles });

test('a secret comes by file, and its origin is the key that names the file', (context) => {
  const loaded = load(withKeyFile(context));
  assert.equal(loaded.config.hmac_key, KEY);
  assert.deepEqual(loaded.origin('hmac_key'), { kind: 'file', file: 'sentinel.yaml', line: 4 });
  assert.deepEqual(loaded.warnings, []);
});

test('between value and file the later place wins; both in one place are refused', (context) => {
  const cwd = withKeyFile(context);
  assert.equal(
    load(cwd, { SENTINEL_PROBE_AGENT_HMAC_KEY: 'from-the-environment' }).config.hmac_key,
    'from-the-environment',
  );
  assert.equal(load(cwd, { SENTINEL_PROBE_AGENT_HMAC_KEY: '' }).config.hmac_key, KEY);
  assert.deepEqual(problemsOf({ ...agent, cwd: withKeyFile(context, '  hmac_key: 0123456789abcdef\n') }), [
    'sentinel.yaml:4: probe_agent.hmac_key_path: set both by value (sentinel.yaml:5) and by file; keep one of them',
  ]);
});

test('a secret file that others may write is refused, one that they may read warns', (context) => {
  const writable = withKeyFile(context, '', 0o620);
  assert.deepEqual(problemsOf({ ...agent, cwd: writable }), [
    `sentinel.yaml:4: probe_agent.hmac_key_path: ${writable}/hmac.key may be written by others (mode 0620): run chmod 600 on it`,
  ]);
  const readable = withKeyFile(context, '', 0o644);
  assert.deepEqual(load(readable).warnings, [
    `sentinel.yaml:4: probe_agent.hmac_key_path: ${readable}/hmac.key may be read by others (mode 0644); chmod 600 keeps it secret`,
  ]);
});

test('a secret file that is missing, empty or bad is named', (context) => {
  const cwd = withKeyFile(context);
  writeFileSync(join(cwd, 'hmac.key'), ' \n');
  const place = 'sentinel.yaml:4: probe_agent.hmac_key_path:';
  assert.deepEqual(problemsOf({ ...agent, cwd }), [`${place} expected a secret in ${cwd}/hmac.key, which is empty`]);
  writeFileSync(join(cwd, 'hmac.key'), 'short\n');
  assert.deepEqual(problemsOf({ ...agent, cwd }), [`${place} expected at least 16 characters`]);
  const missing = folderWith(context, { 'sentinel.yaml': `${PLAIN}  hmac_key_path: hmac.key\n` });
  assert.deepEqual(problemsOf({ ...agent, cwd: missing }), [`${place} cannot read ${missing}/hmac.key (ENOENT)`]);
  assert.equal(load(missing, {}, ['hmac_key']).config.hmac_key, '');
});

test('no secret is taken from the command line', (context) => {
  const cwd = folderWith(context, { 'sentinel.yaml': PLAIN });
  assert.deepEqual(problemsOf({ ...agent, cwd, argv: ['--override', `hmac_key=${KEY}`] }), [
    '--override hmac_key: probe_agent.hmac_key: expected no secret on the command line; set hmac_key_path or the environment variable',
  ]);
  const engine = problemsOf({
    section: 'correlation_engine',
    cwd,
    argv: ['--override', 'database.postgres_url=postgres://u:p@h/d', '--override', 'redis.url=redis://h:6379'],
  });
  assert.equal(engine.filter((line) => line.includes('no secret on the command line')).length, 1);
});

interface Case {
  readonly section: SectionName;
  readonly key: string;
  readonly value: string;
  readonly place: 'file' | 'environment' | 'secret file' | 'override';
  readonly damage: string;
}

const secretKeys = sectionNames.flatMap((section) =>
  leavesOf(sectionOf(section).children)
    .filter(({ leaf }) => leaf.secret)
    .map(({ key }) => ({ section, key })),
);

/** A secret in the shape that its key wants, in shapes that it refuses, and inside damaged YAML. */
const cases: fc.Arbitrary<Case> = fc
  .record({
    target: fc.constantFrom(...secretKeys),
    core: fc.stringMatching(/^[a-f0-9]{24}$/),
    shape: fc.constantFrom(
      '%',
      'default=%',
      'postgres://user:%@db/s',
      'rediss://:%@r:6379',
      'https://hooks/%',
      'x',
      '%\n%',
      '[%',
      '{a: %',
    ),
    place: fc.constantFrom('file', 'environment', 'secret file', 'override'),
    damage: fc.constantFrom('', ' unexpected', '"', '\n bad: [', '\n  unknown_key: 1', ': x'),
  })
  .map(
    ({ target, core, shape, place, damage }) =>
      ({ ...target, value: shape.replaceAll('%', `s3cr3t${core}`), place, damage }) as Case,
  );

function outputsOf(cwd: string, { section, key, value, place, damage }: Case): string[] {
  const nested = (name: string, text: string): string =>
    name.split('.').reduceRight((below, part, depth) => `\n${'  '.repeat(depth + 1)}${part}: ${below}`, text);
  const fileKey = siblingKey(key, `${key.split('.').at(-1) ?? ''}_path`);
  const body = {
    file: nested(key, `${value}${damage}`),
    'secret file': nested(fileKey, 'secret.txt'),
    environment: ' {}',
    override: ' {}',
  };
  writeFileSync(join(cwd, 'sentinel.yaml'), `${section}:${body[place]}\n`);
  writeFileSync(join(cwd, 'secret.txt'), `${value}${damage}`, { mode: 0o600 });
  const env = place === 'environment' ? { [variableFor(section, key)]: `${value}${damage}` } : {};
  const override = place === 'override' ? ['--override', `${key}=${value}${damage}`] : [];
  return [[], ['--print-config']].map((more) => {
    try {
      const loaded = loadConfig({ section, cwd, argv: ['--config', 'sentinel.yaml', ...override, ...more], env });
      return `${loaded.print()}${loaded.warnings.join('\n')}${inspect(loaded.origin(key))}`;
    } catch (error) {
      if (error instanceof Answer) return error.text;
      assert.ok(error instanceof ConfigError, inspect(error));
      return `${inspect(error, { depth: 9 })}${JSON.stringify(error.problems)}`;
    }
  });
}

test('no output ever holds a secret, wherever it was put and however it was damaged', (context) => {
  const cwd = folderWith(context, {});
  let printed = 0;
  fc.assert(
    fc.property(cases, (one) => {
      for (const output of outputsOf(cwd, one)) {
        assert.doesNotMatch(output, /s3cr3t/);
        printed += output.includes('********') ? 1 : 0;
      }
    }),
    { numRuns: 600 },
  );
  assert.ok(printed > 50, `only ${printed} outputs showed a mask`);
});

test('a command that needs only some keys opens only the files that those name', (context) => {
  const engine = `correlation_engine:
  database: { postgres_url_path: url, ca_file: ca.pem, sslmode: verify-full }
  hmac_keys_path: no-keys
  operator_token_path: no-token
  tls: { cert_file: no.crt, key_file: no.key, ca_file: no-ca.crt }
`;
  const cwd = folderWith(context, { 'sentinel.yaml': engine, url: 'postgres://u:p@h/d', 'ca.pem': 'x' });
  chmodSync(join(cwd, 'url'), 0o600);
  const options = {
    section: 'correlation_engine',
    cwd,
    env: {},
    commands: { look: 'looks', other: 'does' },
    needs: { look: ['database'] },
  } as const;
  const at = (command: string) => loadConfig({ ...options, argv: [command, '--config', 'sentinel.yaml'] });
  const { config } = at('look');
  assert.deepEqual([config.database.postgres_url, config.operator_token], ['postgres://u:p@h/d', '']);
  assert.throws(() => at('other'), /operator_token_path: cannot read/);
  writeFileSync(join(cwd, 'sentinel.yaml'), engine.replace('ca.pem', 'no-ca.pem'));
  assert.throws(() => at('look'), /database\.ca_file: cannot read [^\n]*no-ca\.pem \(ENOENT\)$/);
});

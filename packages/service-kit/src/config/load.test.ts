import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from './load.js';
import { loadConfigForMain } from './main-entry.js';
import { Answer, ConfigError, UsageError } from './problems.js';
import { answerOf, folderWith, problemsOf } from './testing.js';

const engine = { section: 'correlation_engine' } as const;
const PLAIN =
  'correlation_engine:\n  tls:\n    enabled: false\n  listen_address: 127.0.0.1:0\n  http: { listen_address: "127.0.0.1:0" }\n';

function loadEngine(cwd: string, argv: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  return loadConfig({ ...engine, cwd, argv: ['--config', 'sentinel.yaml', ...argv], env });
}

test('an unknown key is named with file, line and the nearest valid key', (context) => {
  const cwd = folderWith(context, {
    'sentinel.yaml': `${PLAIN}  mode: enforce\n\n  # the score\n  bayesian_model:\n    prior_beta: 1\n    decay_half_life_hours: 168\n    prior_alfa: 100\n`,
  });
  assert.deepEqual(problemsOf({ ...engine, cwd }), [
    'sentinel.yaml:12: correlation_engine.bayesian_model.prior_alfa: unknown key; did you mean prior_alpha?',
  ]);
});

test('all problems of all places are reported at once, each with its place', (context) => {
  const cwd = folderWith(context, {
    'sentinel.yaml': [
      'correlation_engine:',
      '  mode: enforced',
      '  enrolment: closed',
      '  prior_alpha: 3',
      '  metrics: 9090',
      '  database:',
      '    max_connections: "20"',
      '    connect_timeout_ms:',
      '  history:',
      '    url: s3://bucket',
      '  gates:',
      '    dwell_seconds: -1',
      '    dwell_seconds: 5',
      'corelation_engine: {}',
      'logging: { level: verbose }',
      '',
    ].join('\n'),
    'sentinel.staging.yaml': 'correlation_engine:\n  enrolled_nodes: node-1\n',
  });
  const env = {
    SENTINEL_CORRELATION_ENGINE_TLS_ENABLED: 'yes',
    SENTINEL_CORRELATION_ENGINE_TMR_INTERVAL_SECONDS: '',
    SENTINEL_CORRELATION_ENGINE_TMR_INTERVALL_SECONDS: '5',
    SENTINEL_LOG_LEVL: 'info',
  };
  const argv = [
    '--environment',
    'staging',
    '--override',
    'gates.dwell=5',
    '--override',
    'mode',
    '--override',
    'mode=on',
  ];
  assert.deepEqual(
    problemsOf({ ...engine, cwd, argv, env }),
    [
      'sentinel.yaml:4: correlation_engine.prior_alpha: unknown key; did you mean bayesian_model.prior_alpha?',
      'sentinel.yaml:5: correlation_engine.metrics: expected a mapping of keys',
      'sentinel.yaml:13: correlation_engine.gates.dwell_seconds: key is set twice in this file, first in line 12',
      'sentinel.yaml:14: corelation_engine: unknown section; did you mean correlation_engine?',
      'environment variable SENTINEL_CORRELATION_ENGINE_TMR_INTERVALL_SECONDS: matches no key of section correlation_engine; did you mean SENTINEL_CORRELATION_ENGINE_TMR_INTERVAL_SECONDS?',
      'environment variable SENTINEL_LOG_LEVL: matches no key of section logging; did you mean SENTINEL_LOG_LEVEL?',
      '--override gates.dwell: correlation_engine.gates.dwell: unknown key; did you mean gates.dwell_seconds?',
      '--override mode: expected key=value',
      'sentinel.yaml:2: correlation_engine.mode: expected one of observe, enforce, found text "enforced"',
      'sentinel.yaml:7: correlation_engine.database.max_connections: expected a whole number from 1 to 1000, found text "20"',
      'sentinel.yaml:8: correlation_engine.database.connect_timeout_ms: expected a whole number from 100 to 600000, found nothing',
      'sentinel.yaml:10: correlation_engine.history.url: expected a URL that starts with file://, found text "s3://bucket"',
      'sentinel.yaml:12: correlation_engine.gates.dwell_seconds: expected a whole number from 0 to 604800, found number -1',
      'sentinel.staging.yaml:2: correlation_engine.enrolled_nodes: expected a list, each a node name of letters, digits, ".", "_" or "-", at most 253, or "" for the host\'s own, found text "node-1"',
      'environment variable SENTINEL_CORRELATION_ENGINE_TLS_ENABLED: correlation_engine.tls.enabled: expected true or false, found text "yes"',
      'environment variable SENTINEL_CORRELATION_ENGINE_TMR_INTERVAL_SECONDS: correlation_engine.tmr.interval_seconds: expected a whole number from 1 to 86400, found an empty text',
      '--override mode: correlation_engine.mode: expected one of observe, enforce, found text "on"',
      'sentinel.yaml:15: logging.level: expected one of trace, debug, info, warn, error, fatal, silent, found text "verbose"',
      'correlation_engine.tls.cert_file: cannot read /etc/sentinel/certs/correlation-engine.crt (ENOENT)',
      'correlation_engine.tls.key_file: cannot read /etc/sentinel/certs/correlation-engine.key (ENOENT)',
      'correlation_engine.tls.ca_file: cannot read /etc/sentinel/certs/ca.crt (ENOENT)',
    ].map((line) => (line.startsWith('correlation_engine.tls') ? `default: ${line}` : line)),
  );
});

test('of a monitor that goes on without the engine, certificates that are not there yet are a warning', (context) => {
  const cwd = folderWith(context, { 'sentinel.yaml': 'inference_monitor: { node_name: n }\n' });
  const { warnings } = loadConfig({ section: 'inference_monitor', argv: ['--config', 'sentinel.yaml'], env: {}, cwd });
  assert.deepEqual(
    warnings.map((warning) => warning.replace(/\.(crt|key) .*/, '')),
    [
      'default: inference_monitor.tls.cert_file: cannot read /etc/sentinel/certs/inference-monitor',
      'default: inference_monitor.tls.key_file: cannot read /etc/sentinel/certs/inference-monitor',
      'default: inference_monitor.tls.ca_file: cannot read /etc/sentinel/certs/ca',
    ],
  );
  assert.match(warnings[0] ?? '', /looked for again/);
});

test('a file that cannot be read is named', (context) => {
  const cwd = folderWith(context, {});
  assert.deepEqual(problemsOf({ ...engine, cwd }), ['sentinel.yaml: cannot read the configuration file (ENOENT)']);
});

test('nothing is said about defaults that a file might have changed, had it been readable', (context) => {
  const cwd = folderWith(context, { 'sentinel.yaml': 'correlation_engine: [\n' });
  assert.deepEqual(problemsOf({ ...engine, cwd, argv: ['--override', 'mode=obey'] }), [
    'sentinel.yaml:2: not valid YAML: wrong indentation',
    '--override mode: correlation_engine.mode: expected one of observe, enforce, found text "obey"',
  ]);
});

test('without --config the default path is read', (context) => {
  const cwd = folderWith(context, {});
  assert.throws(
    () => loadConfig({ ...engine, cwd, argv: ['--config=/etc/sentinel/config/absent.yaml'], env: {} }),
    /^ConfigError: \/etc\/sentinel\/config\/absent\.yaml: cannot read/,
  );
  assert.throws(
    () => loadConfig({ ...engine, cwd, argv: ['--print-config'], env: {} }),
    (error) =>
      error instanceof ConfigError ||
      (error instanceof Answer && error.text.includes('/etc/sentinel/config/sentinel.yaml')),
  );
});

test('a later layer wins: file, overlay, environment, override', (context) => {
  const cwd = folderWith(context, {
    'sentinel.yaml': `${PLAIN}  gates: { burst_executions: 1, burst_seconds: 1, followup_days: 1, dwell_seconds: 1 }\n`,
    'sentinel.production.yaml':
      'correlation_engine:\n  gates: { burst_seconds: 2, followup_days: 2, dwell_seconds: 2 }\n',
  });
  const env = {
    SENTINEL_ENVIRONMENT: 'production',
    SENTINEL_CORRELATION_ENGINE_GATES_FOLLOWUP_DAYS: '3',
    SENTINEL_CORRELATION_ENGINE_GATES_DWELL_SECONDS: '3',
  };
  const loaded = loadEngine(cwd, ['--override', 'gates.dwell_seconds=4', '--override', 'gates.dwell_seconds=5'], env);
  const { gates } = loaded.config;
  assert.deepEqual(
    [gates.burst_executions, gates.burst_seconds, gates.followup_days, gates.dwell_seconds],
    [1, 2, 3, 5],
  );
  assert.deepEqual(loaded.files, ['sentinel.yaml', 'sentinel.production.yaml']);
  assert.deepEqual(loaded.origin('gates.burst_seconds'), { kind: 'file', file: 'sentinel.production.yaml', line: 2 });
  assert.deepEqual(loaded.origin('gates.dwell_seconds'), { kind: 'override', key: 'gates.dwell_seconds' });
  assert.deepEqual(loaded.origin('gates.cohort_min_gpus'), { kind: 'default' });
});

test('--environment beats SENTINEL_ENVIRONMENT, an empty one names nothing, a missing overlay is an error', (context) => {
  const cwd = folderWith(context, { 'sentinel.yaml': PLAIN, 'sentinel.a.yaml': '', 'sentinel.b.yaml': '' });
  assert.deepEqual(loadEngine(cwd, ['--environment', 'a'], { SENTINEL_ENVIRONMENT: 'b' }).files, [
    'sentinel.yaml',
    'sentinel.a.yaml',
  ]);
  assert.deepEqual(loadEngine(cwd, [], { SENTINEL_ENVIRONMENT: '' }).files, ['sentinel.yaml']);
  assert.deepEqual(problemsOf({ ...engine, cwd, env: { SENTINEL_ENVIRONMENT: 'c' } }), [
    'sentinel.c.yaml: not found, but SENTINEL_ENVIRONMENT is c',
  ]);
  assert.throws(() => loadEngine(cwd, ['--environment', '../x']), UsageError);
});

test('relative paths start at the folder of the file, wherever they were set', (context) => {
  const cwd = folderWith(context, { 'etc/sentinel.yaml': `${PLAIN}  history: { url: "file://../history" }\n` });
  const { config } = loadConfig({
    ...engine,
    cwd,
    argv: ['--config', 'etc/sentinel.yaml', '--override', 'database.postgres_url=embedded://pg'],
    env: {},
  });
  assert.equal(config.history.url, `file://${cwd}/history`);
  assert.equal(config.database.postgres_url, `embedded://${cwd}/etc/pg`);
});

test('plaintext beyond loopback needs --insecure', (context) => {
  const cwd = folderWith(context, {
    'sentinel.yaml': 'correlation_engine:\n  tls: { enabled: false }\n  audit_ledger_endpoint: ledger:50052\n',
  });
  const reason = 'use 127.0.0.1, enable TLS or pass --insecure';
  assert.deepEqual(problemsOf({ ...engine, cwd }), [
    `default: correlation_engine.listen_address: plaintext beyond loopback (0.0.0.0:50051 while tls.enabled is false): ${reason}`,
    `default: correlation_engine.http.listen_address: plaintext beyond loopback (0.0.0.0:8080 while tls.enabled is false): ${reason}`,
    `sentinel.yaml:3: correlation_engine.audit_ledger_endpoint: plaintext beyond loopback (ledger:50052 while tls.enabled is false): ${reason}`,
  ]);
  const loaded = loadEngine(cwd, ['--insecure']);
  assert.equal(loaded.insecure, true);
});

test('a mistake in the section of another service warns and does not stop this one', (context) => {
  const cwd = folderWith(context, {
    'sentinel.yaml': `${PLAIN}probe_agent:\n  batch_sise: 64\n  batch_flush_interval_ms: 1\n`,
  });
  assert.deepEqual(loadEngine(cwd).warnings, [
    'sentinel.yaml:7: probe_agent.batch_sise: unknown key; did you mean batch_size?',
    'sentinel.yaml:8: probe_agent.batch_flush_interval_ms: expected a whole number from 10 to 60000, found number 1',
  ]);
  assert.deepEqual(problemsOf({ section: 'probe_agent', cwd }).length >= 2, true);
});

test('a key that nothing acts on yet warns when it is set', (context) => {
  const cwd = folderWith(context, {
    'sentinel.yaml': `${PLAIN}  correlation: { buffer_size: 500 }\n`,
  });
  assert.deepEqual(loadEngine(cwd).warnings, [
    'sentinel.yaml:6: correlation_engine.correlation.buffer_size: is checked, but this version does not act on it',
  ]);
});

test('rules over several keys name the key to change', (context) => {
  const cwd = folderWith(context, { 'sentinel.yaml': `${PLAIN}  enrolment: closed\n` });
  assert.deepEqual(problemsOf({ ...engine, cwd }), [
    'default: correlation_engine.enrolled_nodes: must name at least one node while enrolment is closed',
  ]);
});

test('the result is frozen to its depth', (context) => {
  const cwd = folderWith(context, { 'sentinel.yaml': `${PLAIN}  enrolled_nodes: [a]\n` });
  const { config, logging } = loadEngine(cwd);
  for (const value of [config, config.gates.rate_limit, config.enrolled_nodes, config.hmac_keys, logging]) {
    assert.equal(Object.isFrozen(value), true);
  }
  assert.throws(() => Object.assign(config.gates, { dwell_seconds: 0 }), TypeError);
});

test('the node name is the key, else NODE_NAME, else the name of the host', (context) => {
  const base = 'probe_agent:\n  tls: { enabled: false }\n  schedule_file: sentinel.yaml\n';
  const cwd = folderWith(context, { 'sentinel.yaml': base });
  const load = (env: Readonly<Record<string, string>>) =>
    loadConfig({ section: 'probe_agent', cwd, argv: ['--config', 'sentinel.yaml'], env });
  const pod = load({ NODE_NAME: 'gpu-7' });
  assert.equal(pod.config.node_name, 'gpu-7');
  assert.deepEqual(pod.origin('node_name'), { kind: 'fallback', from: 'environment variable NODE_NAME' });
  assert.equal(load({ NODE_NAME: 'gpu-7', SENTINEL_PROBE_AGENT_NODE_NAME: 'x' }).config.node_name, 'x');
  assert.match(load({ NODE_NAME: '' }).config.node_name, /\S/);
  assert.match(
    problemsOf({ section: 'probe_agent', cwd, env: { NODE_NAME: '../x' } })[0] ?? '',
    /^probe_agent\.node_name: expected a node name/,
  );
});

test('the name of a replica is the key, else POD_NAME', (context) => {
  const cwd = folderWith(context, { 'sentinel.yaml': 'inference_monitor:\n  tls: { enabled: false }\n' });
  const load = (env: Readonly<Record<string, string>>) =>
    loadConfig({ section: 'inference_monitor', cwd, argv: ['--config', 'sentinel.yaml'], env });
  const pod = load({ POD_NAME: 'llama-7f' });
  assert.equal(pod.config.replica_name, 'llama-7f');
  assert.deepEqual(pod.origin('replica_name'), { kind: 'fallback', from: 'environment variable POD_NAME' });
  assert.equal(load({ POD_NAME: 'x', SENTINEL_INFERENCE_MONITOR_REPLICA_NAME: 'y' }).config.replica_name, 'y');
  assert.equal(load({}).config.replica_name, '');
});

test('SIGHUP takes what may change, and says what needs a restart', (context) => {
  const cwd = folderWith(context, { 'sentinel.yaml': PLAIN, 'hmac.keys': 'default=0123456789abcdef\n' });
  const loaded = loadEngine(cwd, ['--override', 'hmac_keys_path=hmac.keys']);
  const changed = `${PLAIN.replace('127.0.0.1:0', '127.0.0.1:1')}  mode: enforce\n  gates: { rate_limit: { hour_min: 0 } }\nlogging: { level: debug, format: text }\n`;
  writeFileSync(join(cwd, 'sentinel.yaml'), changed);
  writeFileSync(join(cwd, 'hmac.keys'), 'default=0123456789abcdef\nnext=fedcba9876543210\n');
  const { loaded: next, reloaded, needRestart } = loaded.reload();
  assert.deepEqual(reloaded, [
    { key: 'correlation_engine.mode', from: '"observe"', to: '"enforce"' },
    { key: 'correlation_engine.gates.rate_limit.hour_min', from: '2', to: '0' },
    { key: 'correlation_engine.hmac_keys', from: '********', to: '********' },
    { key: 'logging.level', from: '"info"', to: '"debug"' },
  ]);
  assert.deepEqual(
    needRestart.map(({ key }) => key),
    ['correlation_engine.listen_address', 'logging.format'],
  );
  assert.equal(next.config.mode, 'enforce');
  assert.equal(next.config.hmac_keys['next'], 'fedcba9876543210');
  assert.equal(next.config.listen_address, '127.0.0.1:0');
  assert.equal(loaded.config.mode, 'observe');
  assert.deepEqual(next.reload().reloaded, []);
  assert.equal(next.reload().needRestart.length, 2);
});

test('a bad file at SIGHUP leaves the running configuration alone', (context) => {
  const cwd = folderWith(context, { 'sentinel.yaml': PLAIN });
  const loaded = loadEngine(cwd);
  writeFileSync(join(cwd, 'sentinel.yaml'), `${PLAIN}  mode: of\n`);
  assert.throws(() => loaded.reload(), ConfigError);
  assert.equal(loaded.config.mode, 'observe');
  rmSync(join(cwd, 'sentinel.yaml'));
  assert.throws(() => loaded.reload(), {
    name: 'ConfigError',
    message: 'sentinel.yaml: cannot read the configuration file (ENOENT)',
  });
});

test('--print-config shows value and origin of every key, opens no other file and needs none', (context) => {
  const cwd = folderWith(context, {
    'sentinel.yaml': 'correlation_engine:\n  hmac_keys_path: absent.keys\n  gates: { dwell_seconds: 7 }\n',
  });
  const env = {
    SENTINEL_CORRELATION_ENGINE_DATABASE_POSTGRES_URL: 'postgres://u:pw-4711@db/s',
    SENTINEL_LOG_LEVEL: 'warn',
  };
  const lines = answerOf({ ...engine, cwd, env, argv: ['--print-config', '--override', 'mode=enforce'] })
    .replaceAll(/ +#/g, ' #')
    .split('\n');
  for (const line of [
    '# read: sentinel.yaml',
    'correlation_engine.gates.dwell_seconds: 7 # sentinel.yaml:3',
    'correlation_engine.gates.burst_seconds: 60 # default',
    'correlation_engine.mode: "enforce" # --override mode',
    'correlation_engine.database.postgres_url: postgres://********@db/s # environment variable SENTINEL_CORRELATION_ENGINE_DATABASE_POSTGRES_URL',
    'correlation_engine.hmac_keys: ******** # default',
    `correlation_engine.hmac_keys_path: "${cwd}/absent.keys" # sentinel.yaml:2`,
    'correlation_engine.operator_token: "" # default',
    'logging.level: "warn" # environment variable SENTINEL_LOG_LEVEL',
  ]) {
    assert.ok(lines.includes(line), line);
  }
});

test('a main gets the configuration, or has answered with text and exit code', (context) => {
  const cwd = folderWith(context, { 'sentinel.yaml': PLAIN, 'bad.yaml': 'x: 1\n' });
  const run = (argv: readonly string[]) => {
    const written = { stdout: '', stderr: '' };
    const streams = {
      stdout: {
        write: (text: string) => {
          written.stdout += text;
        },
      },
      stderr: {
        write: (text: string) => {
          written.stderr += text;
        },
      },
    };
    const loaded = loadConfigForMain({ ...engine, cwd, argv, env: {} }, streams);
    const { exitCode } = process;
    process.exitCode = undefined;
    return { ...written, exitCode, loaded: loaded !== undefined };
  };
  assert.deepEqual(run(['--config', 'sentinel.yaml']), { stdout: '', stderr: '', exitCode: undefined, loaded: true });
  assert.equal(run(['--version']).stdout, 'sentinel-correlation-engine 0.1.0-alpha\n');
  assert.deepEqual(run(['--cofnig', 'x']), {
    stdout: '',
    stderr: 'unknown flag --cofnig; did you mean --config?\n',
    exitCode: 2,
    loaded: false,
  });
  const bad = run(['--config', 'bad.yaml']);
  assert.equal(bad.exitCode, 78);
  assert.match(bad.stderr, /^bad\.yaml:1: x: unknown section; valid: probe_agent, /);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeProblem, ProblemList } from './problems.js';
import { readEnvironment, readOverrides, variableFor } from './text-sources.js';

function environment(env: Readonly<Record<string, string>>) {
  const problems = new ProblemList();
  const assignments = readEnvironment(env, 'probe_agent', problems);
  return {
    keys: assignments.map(({ section, key }) => `${section}.${key}`),
    errors: problems.errors.map(describeProblem),
    warnings: problems.warnings.map(describeProblem),
  };
}

test('a variable is the section and the key, joined by "_"', () => {
  assert.equal(
    variableFor('correlation_engine', 'bayesian_model.prior_alpha'),
    'SENTINEL_CORRELATION_ENGINE_BAYESIAN_MODEL_PRIOR_ALPHA',
  );
});

test('keys with underscores resolve to one key each', () => {
  const env = {
    SENTINEL_PROBE_AGENT_TLS_CERT_FILE: 'x',
    SENTINEL_PROBE_AGENT_CORRELATION_ENGINE_ENDPOINT: 'x',
    SENTINEL_PROBE_AGENT_HMAC_KEY: 'x',
    SENTINEL_PROBE_AGENT_HMAC_KEY_ID: 'x',
    SENTINEL_PROBE_AGENT_HMAC_KEY_PATH: 'x',
    SENTINEL_ALERTING_CHANNELS_EMAIL_SMTP_PORT: '1',
    SENTINEL_LOG_LEVEL: 'x',
    SENTINEL_LOGGING_FORMAT: 'x',
  };
  assert.deepEqual(environment(env), {
    keys: [
      'probe_agent.tls.cert_file',
      'probe_agent.correlation_engine_endpoint',
      'probe_agent.hmac_key',
      'probe_agent.hmac_key_id',
      'probe_agent.hmac_key_path',
      'alerting.channels.email.smtp_port',
      'logging.level',
      'logging.format',
    ],
    errors: [],
    warnings: [],
  });
});

test('what Kubernetes injects for Services named sentinel-… is not ours', () => {
  const env = {
    SENTINEL_REDIS_MASTER_SERVICE_HOST: '10.0.0.1',
    SENTINEL_SCYLLA_CLIENT_PORT: 'tcp://10.0.0.2:9042',
    SENTINEL_PROBE_AGENT_SERVICE_HOST: '10.0.0.3',
    SENTINEL_PROBE_AGENT_SERVICE_PORT: '9092',
    SENTINEL_PROBE_AGENT_SERVICE_PORT_METRICS: '9092',
    SENTINEL_PROBE_AGENT_PORT: 'tcp://10.0.0.3:9092',
    SENTINEL_PROBE_AGENT_PORT_9092_TCP: 'tcp://10.0.0.3:9092',
    SENTINEL_PROBE_AGENT_PORT_9092_TCP_ADDR: '10.0.0.3',
    SENTINEL_PROBE_AGENT_PORT_9092_TCP_PORT: '9092',
    SENTINEL_PROBE_AGENT_PORT_9092_TCP_PROTO: 'tcp',
    SENTINEL_AUDIT_LEDGER_READER_SERVICE_HOST: '10.0.0.4',
    SENTINEL_DATA: '/x',
    PATH: '/bin',
  };
  assert.deepEqual(environment(env), { keys: [], errors: [], warnings: [] });
});

test('a misspelt variable of a section is refused even if it ends like a port', () => {
  assert.deepEqual(
    environment({ SENTINEL_PROBE_AGENT_METRICS_PORT: '9092', SENTINEL_ALERTING_CHANNELS_EMAIL_SMPT_PORT: '25' }),
    {
      keys: [],
      errors: [
        'environment variable SENTINEL_PROBE_AGENT_METRICS_PORT: matches no key of section probe_agent; did you mean SENTINEL_PROBE_AGENT_METRICS_ENABLED?',
      ],
      warnings: [
        'environment variable SENTINEL_ALERTING_CHANNELS_EMAIL_SMPT_PORT: matches no key of section alerting; did you mean SENTINEL_ALERTING_CHANNELS_EMAIL_SMTP_PORT?',
      ],
    },
  );
});

test('an override is relative to the section, and logging has its own name', () => {
  const problems = new ProblemList();
  const overrides = ['tls.enabled=false', 'logging.level=debug', 'hmac_key_path=a=b', 'tls.enable=x', 'tls=x', '=x'];
  const assignments = readOverrides(overrides, 'probe_agent', problems);
  assert.deepEqual(
    assignments.map(({ section, key, raw }) => [section, key, raw.kind === 'text' ? raw.text : '']),
    [
      ['probe_agent', 'tls.enabled', 'false'],
      ['logging', 'level', 'debug'],
      ['probe_agent', 'hmac_key_path', 'a=b'],
    ],
  );
  assert.deepEqual(problems.errors.map(describeProblem), [
    '--override tls.enable: probe_agent.tls.enable: unknown key; did you mean tls.enabled?',
    '--override tls: probe_agent.tls: names a group; set one of its keys: enabled, cert_file, key_file, ca_file, server_name',
    '--override (an unreadable name): probe_agent.(an unreadable name): unknown key',
  ]);
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { ROOT } from '../harness/paths.js';
import { type ComposeFile, readCompose } from './compose-file.js';
import { documentedServices, missingNames } from './names.js';

const documented = documentedServices(readFileSync(join(ROOT, 'docs/names.md'), 'utf8'));
const compose = readCompose(join(ROOT, 'deploy/docker-compose.yml'));
const services = Object.entries(compose.services ?? {});

it('the compose file has every documented name', () => {
  assert.deepEqual(missingNames(documented, compose), []);
});

it('each documented name that goes missing is named', () => {
  const without = (service: string, key: string, value: unknown): ComposeFile => ({
    ...compose,
    services: { ...compose.services, [service]: { ...compose.services?.[service], [key]: value } as never },
  });
  for (const { service, container, ports, startedBy } of documented) {
    const { [service]: _, ...others } = compose.services ?? {};
    assert.deepEqual(missingNames(documented, { ...compose, services: others }), [`service ${service}`]);
    const renamed = without(service, 'container_name', 'other');
    assert.deepEqual(missingNames(documented, renamed), [`${service}: container ${container}`]);
    const closed = missingNames(documented, without(service, 'ports', []));
    assert.deepEqual(
      closed,
      ports.map((port) => `${service}: port ${port}`),
    );
    const hidden = missingNames(documented, without(service, 'profiles', ['other']));
    assert.deepEqual(hidden, [`${service}: started by ${startedBy}`]);
  }
});

it('both files are one project', () => {
  const root = readCompose(join(ROOT, 'docker-compose.yml'));
  assert.deepEqual([root.name, root.include, compose.name], ['sentinel', ['deploy/docker-compose.yml'], 'sentinel']);
});

it('what is published is published to this host alone', () => {
  const published = services.flatMap(([, { ports = [] }]) => ports);
  assert.ok(published.length > 0);
  assert.deepEqual(
    published.filter((port) => !port.startsWith('127.0.0.1:')),
    [],
  );
});

it('every service has a health check and a limit of memory', () => {
  const lacking = services.filter(
    ([, each]) => each.healthcheck === undefined || each.deploy?.resources.limits.memory === undefined,
  );
  assert.deepEqual(
    lacking.map(([name]) => name),
    [],
  );
});

it('Grafana has the documented login, and TLS is off', () => {
  const { grafana } = compose.services ?? {};
  const { GF_SECURITY_ADMIN_USER: user, GF_SECURITY_ADMIN_PASSWORD: password } = grafana?.environment ?? {};
  assert.deepEqual([user, password], ['admin', 'sentinel']);
  for (const name of ['correlation-engine', 'audit-ledger', 'probe-agent'])
    assert.ok(compose.services?.[name]?.command?.includes('--insecure'), name);
});

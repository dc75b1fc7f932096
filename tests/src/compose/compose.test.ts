/** The stack of deploy/docker-compose.yml on a real engine: what users are promised of it, asked by clients that are not ours where there are any. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { checkMonitoring } from '@sentinel/monitoring';
import { freePort } from '@sentinel/test-kit';
import { metric, scrape } from '../harness/metrics.js';
import { until } from '../harness/until.js';
import { NO_DOCKER } from './docker.js';
import { grpcurl } from './grpcurl.js';
import { killed } from './kill.js';
import { agentOutside } from './outside.js';
import { ComposeProject } from './project.js';
import { Load, toldOnce } from './promise.js';
import { recorded } from './recorded.js';
import { shared } from './shared.js';
import { quarantined, quarantinedAt, sentinelAt, sentinelJsonAt } from './site.js';
import { targets } from './targets.js';

/** A bare machine compiles compose and every image first. */
const LONG = { timeout: 3_000_000 };
const HEALTHY_SECONDS = 180;
const QUARANTINE_GOAL_US = 120_000_000;
const SECRETS = {
  'probe-agent': ['hmac.key'],
  'correlation-engine': ['hmac.keys', 'operator.token', 'postgres.url', 'redis.url', 'service.token'],
  'audit-ledger': ['ledger.key', 'operator.token', 'service.token'],
};
const STORE_SECRETS = { postgres: ['postgres.password'], redis: ['redis.conf', 'redis.password'] };
const SERVICES = ['secrets', 'postgres', 'scylladb', 'redis', 'correlation-engine', 'audit-ledger', 'prometheus'];
/** Restarted while agents report; `correlation-engine-2` has a test of its own. */
const KILLED = [...SERVICES, 'probe-agent'];
const SECOND = 'correlation-engine-2';
const DATABASE = 'sentinel';

describe('docker compose up', { skip: NO_DOCKER, ...LONG }, () => {
  let project: ComposeProject;
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sentinel-compose-'));
    project = await ComposeProject.prepare('sentinel-check');
    await project.build();
  }, LONG);
  after(async () => {
    await project.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('every service is healthy in less than three minutes, under its documented name', async (context) => {
    const seconds = await project.up();
    context.diagnostic(`healthy after ${seconds.toFixed(1)} s`);
    assert.ok(seconds < HEALTHY_SECONDS, `${seconds} s`);
    const running = (await project.containers()).filter(({ Service }) => Service !== 'grafana');
    assert.deepEqual(running.map(({ Service }) => Service).sort(), [...SERVICES].sort());
    for (const { Name, Service, Health } of running)
      assert.deepEqual([Name, Health], [`${project.name}-${Service}`, 'healthy']);
  });

  it('an agent of it registers, and its results are counted', async () => {
    await project.up(['agent'], 'probe-agent');
    // It is healthy before it has reached the engine.
    const registered = async (): Promise<boolean> =>
      /agent registered/.test(await project.compose('logs', 'correlation-engine'));
    await until('the agent is registered', 60_000, registered, 500);
    const counted = async (): Promise<boolean> =>
      metric(await scrape(project.engine.metrics), 'sentinel_probe_results_total', { result: 'pass' }) > 0;
    await until('results are counted', 60_000, counted, 500);
  });

  it('each service is given the secrets that it needs, and no others', async () => {
    for (const [service, names] of Object.entries(SECRETS)) {
      const found = (await project.exec(service, 'ls', '/run/sentinel/secrets')).trim().split('\n');
      assert.deepEqual(found, names, service);
    }
    for (const [store, names] of Object.entries(STORE_SECRETS)) {
      const found = (await project.exec(store, 'ls', '/run/store-secrets')).trim().split('\n');
      assert.deepEqual(found, names, store);
    }
  });

  it('clients that are not ours are answered', async () => {
    for (const [service, port] of [
      ['correlation-engine', 50051],
      ['audit-ledger', 50052],
    ] as const)
      assert.match(
        (await project.run('exec', '-T', service, '/usr/local/bin/grpc_health_probe', `-addr=127.0.0.1:${port}`))
          .stderr,
        /SERVING/,
      );
    const fleet = await grpcurl(
      project.engine.grpc,
      'sentinel/v1/health.proto',
      'sentinel.v1.CorrelationService/QueryFleetHealth',
    );
    assert.match(JSON.stringify(fleet), /"node":"compose-host"/);
    const checkpoint = await grpcurl(
      project.ledger.grpc,
      'sentinel/v1/audit.proto',
      'sentinel.v1.AuditService/GetCheckpoint',
    );
    assert.match(JSON.stringify(checkpoint), /verifierKey/);

    const password = await project.exec('postgres', 'cat', '/run/store-secrets/postgres.password');
    const connection = `host=postgres user=sentinel dbname=${DATABASE} password=${password}`;
    assert.match(await project.exec('postgres', 'psql', connection, '-Atc', 'select node from spools'), /compose-host/);
    const redis = ['redis-cli', '--no-auth-warning'];
    assert.match(await project.exec('redis', ...redis, 'dbsize'), /NOAUTH/);
    const secret = await project.exec('redis', 'cat', '/run/store-secrets/redis.password');
    // What was counted is told to the bus and put into the history afterwards.
    const holds = (what: string, pattern: RegExp, service: string, ...command: string[]): Promise<unknown> =>
      until(what, 60_000, async () => pattern.test(await project.exec(service, ...command)), 500);
    await holds('Redis has keys', /^[1-9]\d*$/m, 'redis', ...redis, '-a', secret, 'dbsize');
    const rows = 'select node, spool_id from sentinel.spools';
    await holds('the history has the node', /compose-host/, 'scylladb', 'cqlsh', '-e', rows);
  });

  it('Prometheus reaches every target', async () => {
    const answer = async (): Promise<string> =>
      await project.exec('prometheus', 'promtool', 'query', 'instant', 'http://127.0.0.1:9090', 'up');
    const jobs = ['sentinel-correlation-engine', 'sentinel-audit-ledger', 'sentinel-probe-agent', 'prometheus'];
    const each = (text: string): boolean => jobs.every((job) => new RegExp(`job="${job}"} => 1 `).test(text));
    // The stand-in of ScyllaDB has no metrics.
    const none = (text: string): boolean => !/job="(?!scylladb").*"} => 0 /.test(text);
    let said = '';
    const reached = async (): Promise<boolean> => {
      said = await answer();
      return each(said) && none(said);
    };
    await until('promtool sees them all', 60_000, reached, 2_000).catch(() => assert.fail(said));
  });

  it('every rule and every panel has an answer', async () => {
    let wrong: readonly string[] = [];
    const answered = async (): Promise<boolean> => {
      wrong = await checkMonitoring(`http://${project.prometheus}`, { mayBeDown: ['scylladb'] });
      return wrong.length === 0;
    };
    await until('every expression has series', 120_000, answered, 5_000).catch(() => assert.deepEqual(wrong, []));
  });

  it('an injected fault ends in quarantine, and the ledger can prove it', async (context) => {
    await project.up(['inject'], 'probe-agent-inject');
    const explained = await quarantined(project, folder, 'compose-faulty');
    const took = quarantinedAt(explained) - (await project.firstInjected());
    context.diagnostic(`quarantined ${(took / 1e6).toFixed(1)} s after the first wrong result`);
    assert.ok(took > 0 && took < QUARANTINE_GOAL_US, `${took} us`);
    await recorded(project, folder, explained);
  });

  it('each process killed inside its container comes back; nothing promised is lost, nothing is doubled', async (context) => {
    const load = await Load.start(project);
    for (const service of KILLED)
      context.diagnostic(`${service}: healthy after ${(await killed(project, service)).toFixed(1)} s`);
    const { runs, lost, doubled } = await load.settled(folder);
    context.diagnostic(`${runs} runs were compared`);
    assert.deepEqual([lost, doubled], [[], []]);
    assert.ok(runs > 0);
    context.diagnostic(`${await toldOnce(project)} entries in the ledger`);
    // What was verified before must be the beginning of what is verified now.
    const { code, stdout, stderr } = await sentinelAt(project, folder, 'audit', 'verify');
    assert.equal(code, 0, stdout + stderr);
  });

  it('a second engine takes half of the agents, and all of them when the first is killed', async () => {
    await project.up(['replicas'], SECOND);
    await shared(project, 'correlation-engine', SECOND);
    await project.compose('--profile', 'replicas', 'rm', '--stop', '--force', SECOND);
  });

  it('down and up keep the data', async () => {
    const fleet = async (): Promise<unknown> => {
      const { gpus } = await sentinelJsonAt<{ gpus: { gpu: string; state: string }[] }>(
        project,
        folder,
        'gpus',
        'list',
      );
      return gpus.map(({ gpu, state }) => [gpu, state]).sort();
    };
    const [before, token] = [await fleet(), project.secrets.operatorToken];
    const moment = Date.now() / 1000;
    await project.down();
    await project.up();
    assert.deepEqual(await fleet(), before);
    assert.equal(project.secrets.operatorToken, token);
    const { code, stdout, stderr } = await sentinelAt(project, folder, 'audit', 'verify');
    assert.equal(code, 0, stdout + stderr);
    assert.ok((await targets(project.prometheus, moment)).length > 0, 'what Prometheus had scraped');
  });

  it('a project that was begun when all services had one volume of secrets goes on with its log', async () => {
    await project.down();
    const asBefore = 'mv /own/ledger.key /all/ && rm -f /own/* && touch /all/postgres.url';
    await project.inVolumes({ secrets: '/all', 'ledger-secrets': '/own' }, asBefore);
    await project.up();
    const { code, stdout, stderr } = await sentinelAt(project, folder, 'audit', 'verify');
    assert.equal(code, 0, stdout + stderr);
    const left = (await project.exec('secrets', 'ls', '/run/sentinel/secrets')).trim().split('\n');
    assert.deepEqual(left, ['hmac.key', 'operator.token', 'service.token']);
  });

  it('down -v starts fresh', async () => {
    const token = project.secrets.operatorToken;
    await project.remove();
    await project.up();
    assert.notEqual(project.secrets.operatorToken, token);
    const { gpus } = await sentinelJsonAt<{ gpus: unknown[] }>(project, folder, 'gpus', 'list');
    assert.deepEqual(gpus, []);
  });

  it('the agent outside of compose reports by the command of the guide, with no key given, and Prometheus reaches it', async () => {
    const port = await freePort();
    const { agent, node } = await agentOutside(project, folder, port);
    try {
      const registered = async (): Promise<boolean> =>
        (await project.compose('logs', 'correlation-engine'))
          .split('\n')
          .some((line) => line.includes('agent registered') && line.includes(`"node":"${node}"`));
      await until(`${node} is registered`, 60_000, registered, 1_000);
      const counted = async (): Promise<boolean> =>
        metric(await scrape(project.engine.metrics), 'sentinel_probe_results_total', { result: 'pass' }) > 0;
      await until('its results are counted', 90_000, counted, 1_000);

      const address = `host.docker.internal:${port}`;
      const named = `echo '- targets: ["${address}"]' > /etc/prometheus/targets/this-host.yaml`;
      await project.exec('prometheus', 'sh', '-c', named);
      const scraped = async (): Promise<boolean> =>
        (await targets(project.prometheus)).some(({ instance, up }) => instance === address && up);
      await until('Prometheus has its metrics', 90_000, scraped, 1_000);
    } finally {
      await agent.kill();
    }
  });
});

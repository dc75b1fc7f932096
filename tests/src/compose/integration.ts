// What `docker compose -f deploy/docker-compose.test.yml up` runs, in a container beside the stack: the services by their names.
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { metric, scrape } from '../harness/metrics.js';
import { BIN, SCHEDULES } from '../harness/paths.js';
import { Service } from '../harness/service.js';
import type { Reachable } from '../harness/stack.js';
import { until } from '../harness/until.js';
import { recorded } from './recorded.js';
import { quarantined, quarantinedAt, type Site } from './site.js';
import { targets } from './targets.js';

const ENGINE = 'correlation-engine';
const LEDGER = 'audit-ledger';
const FLEET_KEY_FILE = '/run/sentinel/secrets/hmac.key';
const FAULT = 'core=1,family=fma32,rate=0.01';
const GOAL_US = 120_000_000;
/** Jobs that Prometheus must reach; the agents are those of this test, and a stand-in of ScyllaDB has no metrics. */
const JOBS = ['sentinel-correlation-engine', 'sentinel-audit-ledger', 'prometheus'];

const site: Site & Reachable = {
  engine: { grpc: `${ENGINE}:50051`, http: `${ENGINE}:8080`, metrics: `${ENGINE}:9090` },
  ledger: { grpc: `${LEDGER}:50052`, http: `${LEDGER}:8083`, metrics: `${LEDGER}:9091` },
  prometheus: 'prometheus:9090',
  connection: (to) => ({ address: to === 'engine' ? `${ENGINE}:50051` : `${LEDGER}:50052`, tls: null }),
  secrets: { operatorToken: '' },
};
/** The stores may hold the nodes of earlier runs. */
const RUN = Date.now().toString(36);
const folder = mkdtempSync(join(tmpdir(), 'sentinel-integration-'));

function agent(node: string, fault?: string): Service {
  const config = {
    probe_agent: {
      backend: 'cpu',
      schedule_file: join(SCHEDULES, 'fast.yaml'),
      correlation_engine_endpoint: site.engine.grpc,
      hmac_key_path: FLEET_KEY_FILE,
      data_dir: join(folder, 'spool'),
      node_name: node,
      tls: { enabled: false },
      metrics: { listen_address: '127.0.0.1:0' },
    },
    logging: { format: 'json', level: 'info' },
  };
  const file = join(folder, `${node}.yaml`);
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(config));
  const args = ['--config', file, '--insecure', ...(fault === undefined ? [] : ['--inject', fault])];
  const bin = fault === undefined ? BIN.agent : BIN.testAgent;
  return new Service({ name: node, bin, args, readyFile: join(folder, `${node}.ready.json`) });
}

describe('the stack', { timeout: 300_000 }, () => {
  it('takes what an agent reports', async () => {
    const honest = agent(`honest-${RUN}`);
    await honest.start();
    try {
      const counted = async (): Promise<boolean> =>
        metric(await scrape(site.engine.metrics), 'sentinel_probe_results_total', { result: 'pass' }) > 0;
      await until('results are counted', 60_000, counted, 500);
    } finally {
      await honest.stop();
    }
  });

  it('takes a faulty device out of service, and the ledger can prove it', async () => {
    const node = `faulty-${RUN}`;
    const faulty = agent(node, FAULT);
    await faulty.start();
    try {
      const injected = ({ msg }: { msg: string }): boolean => msg === 'first injected wrong result';
      const { atUs } = await faulty.line('the first injected wrong result', 60_000, injected);
      const explained = await quarantined(site, folder, node);
      const took = quarantinedAt(explained) - Number(atUs);
      assert.ok(took > 0 && took < GOAL_US, `${took} us`);
      await recorded(site, folder, explained);
    } finally {
      await faulty.stop();
    }
  });

  it('uses the stores beside it, all of them up', async () => {
    const allUp = ['ok', { state: 'up', history: 'up', ledger: 'up', bus: 'up' }];
    let said: unknown;
    const up = async (): Promise<boolean> => {
      const health = await (await fetch(`http://${site.engine.http}/health`)).json();
      const { status, stores } = health as { status: string; stores: unknown };
      said = [status, stores];
      return isDeepStrictEqual(said, allUp);
    };
    await until('all of them up', 60_000, up, 500).catch(() => assert.deepEqual(said, allUp));
  });

  it('is scraped', async () => {
    const reached = async (): Promise<boolean> => {
      const up = (await targets(site.prometheus)).filter((each) => each.up);
      return JOBS.every((job) => up.some((each) => each.job === job));
    };
    await until(`Prometheus reaches ${JOBS.join(', ')}`, 60_000, reached, 1_000);
  });
});

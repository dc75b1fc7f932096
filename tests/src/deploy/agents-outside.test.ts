/** An agent outside of compose is scraped by the Prometheus of compose, as deploy/README.md says it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { PrometheusClient, type Target } from '@sentinel/monitoring';
import { runProgram } from '../harness/cli.js';
import { ROOT } from '../harness/paths.js';
import { runPrometheus, type TestPrometheus } from '../harness/prometheus.js';
import { until } from '../harness/until.js';
import { readCompose } from './compose-file.js';

const PATIENCE_MS = 60_000;
const PROVISIONED = 'deploy/prometheus';

const page = readFileSync(join(ROOT, 'deploy/README.md'), 'utf8');
const [, told = '', target = '', file = ''] = /^ {4}(echo '.*"(.+:\d+)".*' > (deploy\/\S+))$/m.exec(page) ?? [];

const hasPrometheus = spawnSync('promtool', ['--version']).status === 0;
const skip = hasPrometheus || process.env['CI'] === 'true' ? false : 'Prometheus is not installed';

it('the container of Prometheus knows this host, and the folder that names its agents', () => {
  const { extra_hosts: hosts = [], volumes = [] } =
    readCompose(join(ROOT, 'deploy/docker-compose.yml')).services?.['prometheus'] ?? {};
  assert.deepEqual(hosts, [`${target.split(':')[0]}:host-gateway`]);
  assert.ok(volumes.includes('./prometheus/targets:/etc/prometheus/targets:ro'));
  assert.ok(page.includes(`\`--override metrics.listen_address=0.0.0.0:${target.split(':')[1]}\``));
});

describe('an agent outside of compose', { skip }, () => {
  let folder: string;
  let prometheus: TestPrometheus;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sentinel-targets-'));
    // Without what somebody keeps in this clone.
    const ours = (from: string): boolean => !/^targets\/.*\.yaml$/.test(relative(join(ROOT, PROVISIONED), from));
    cpSync(join(ROOT, PROVISIONED), join(folder, PROVISIONED), { recursive: true, filter: ours });
    prometheus = await runPrometheus(join(folder, PROVISIONED, 'prometheus.yml'), join(folder, 'data'));
  });
  after(async () => {
    await prometheus?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const known = async (): Promise<readonly Target[]> => await new PrometheusClient(prometheus.base).targets();
  const agents = async (): Promise<string[]> =>
    (await known()).filter(({ labels }) => labels['job'] === 'sentinel-probe-agent').map(({ scrapeUrl }) => scrapeUrl);

  it('is a target from the moment the line of the page was typed, and no more once the file is gone', async () => {
    await until('Prometheus knows its targets', PATIENCE_MS, async () => (await known()).length > 0);
    assert.deepEqual(await agents(), []);
    const { code, stderr } = await runProgram('bash', ['-c', `cd ${folder} && ${told}`]);
    assert.equal(code, 0, stderr);
    await until('the agent is a target', PATIENCE_MS, async () => (await agents()).length > 0);
    assert.deepEqual(await agents(), [`http://${target}/metrics`]);
    rmSync(join(folder, file));
    await until('the agent is no target', PATIENCE_MS, async () => (await agents()).length === 0);
  });
});

/** A log that was tampered with is noticed by its writer, seen on its ports, and wakes somebody: through a real Prometheus, with the rules that we ship. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually, freePort, startProcess, type TestProcess } from '@sentinel/test-kit';
import { flipDetail } from '../testing/flip-detail.js';
import { clientOf, commitEvents, eventOf } from '../testing/wire.js';
import { type WriterAddresses, WriterProcess } from '../testing/writer-process.js';

const RULES = fileURLToPath(new URL('../../../../deploy/prometheus/rules/audit-ledger.rules.yaml', import.meta.url));
const HURRIED = new URL('../testing/hurried-timers.js', import.meta.url).href;
const EVENTS = 300;
/** Its entry is one more: the first is the genesis. */
const DAMAGED_EVENT = 200;
const WAIT_MS = 60_000;

const hasPrometheus = spawnSync('promtool', ['--version']).status === 0;
const skip = hasPrometheus || process.env['CI'] === 'true' ? false : 'Prometheus is not installed';

interface Alert {
  readonly state: string;
  readonly labels: { readonly [name: string]: string };
  readonly annotations: { readonly [name: string]: string };
}

describe('alerts of a ledger', { skip }, () => {
  let writer: WriterProcess;
  let at: WriterAddresses;
  let prometheus: TestProcess;
  let api: string;
  before(async () => {
    writer = new WriterProcess({ verification: { auto_verify_interval_hours: 1 } });
    writer.command = [process.execPath, '--import', HURRIED];
    at = await writer.start();
    const client = clientOf(at.grpc);
    const events = Array.from({ length: EVENTS }, (_, n) => eventOf(n));
    await commitEvents(client, { producer: 'a', producerEpoch: 0n, firstSequence: 0n, events });
    client.close();
    const address = `127.0.0.1:${await freePort()}`;
    api = `http://${address}/api/v1`;
    const config = join(writer.folder, 'prometheus.yml');
    // JSON is YAML.
    writeFileSync(
      config,
      JSON.stringify({
        global: { scrape_interval: '1s', evaluation_interval: '1s' },
        rule_files: [RULES],
        scrape_configs: [{ job_name: 'sentinel-audit-ledger', static_configs: [{ targets: [at.metrics] }] }],
      }),
    );
    prometheus = await startProcess({
      command: [
        'prometheus',
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(writer.folder, 'prometheus')}`,
        `--web.listen-address=${address}`,
      ],
      ready: { output: /ready to receive web requests/ },
    });
  });
  after(async () => {
    await prometheus?.[Symbol.asyncDispose]();
    await writer[Symbol.asyncDispose]();
  });

  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(`http://${at.metrics}/metrics`)).text();
    return Number(new RegExp(`^sentinel_audit_${name} (\\S+)`, 'm').exec(text)?.[1]);
  };
  const health = async (): Promise<{ status: number; verified: { ok: boolean; damaged: number[] } }> => {
    const answer = await fetch(`http://${at.http}/health`);
    return { ...((await answer.json()) as { verified: { ok: boolean; damaged: number[] } }), status: answer.status };
  };
  const firing = async (): Promise<Alert[]> => {
    const { data } = (await (await fetch(`${api}/alerts`)).json()) as { data: { alerts: Alert[] } };
    return data.alerts.filter(({ state }) => state === 'firing');
  };
  const value = async (query: string): Promise<string | undefined> => {
    const answer = await fetch(`${api}/query?query=${encodeURIComponent(query)}`);
    const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
    return data.result[0]?.value[1];
  };

  it('are silent while it verifies itself and finds nothing', async () => {
    await eventually(async () => ((await metric('last_verified_entries')) > EVENTS ? true : null), {
      what: 'it verified itself',
      timeoutMs: WAIT_MS,
    });
    assert.equal(await metric('chain_verified'), 1);
    assert.ok(Math.abs((await metric('last_verified_timestamp_seconds')) - Date.now() / 1000) < WAIT_MS / 1000);
    assert.deepEqual((await health()).verified.damaged, []);
    await eventually(async () => ((await value('sentinel_audit_chain_verified')) === '1' ? true : null), {
      what: 'Prometheus has scraped it',
      timeoutMs: WAIT_MS,
    });
    assert.deepEqual(await firing(), []);
  });

  it('wake somebody once an entry is not what was logged, and end when it is again', async () => {
    flipDetail(writer.dataFolder, `"n":${DAMAGED_EVENT},`);
    const alert = await eventually(async () => (await firing())[0], { what: 'an alert fires', timeoutMs: WAIT_MS });
    assert.equal(alert.labels['alertname'], 'AuditChainBroken');
    assert.equal(alert.labels['severity'], 'critical');
    assert.match(
      alert.annotations['summary'] ?? '',
      new RegExp(`audit log has entries that are not what was logged \\(${at.metrics}\\)`),
    );
    assert.equal(await metric('chain_verified'), 0);
    const { status, verified } = await health();
    assert.deepEqual([status, verified.ok, verified.damaged], [503, false, [DAMAGED_EVENT + 1]]);
    assert.match(writer.output, new RegExp(`CRITICAL: entries ${DAMAGED_EVENT + 1} are not what was logged`));
    flipDetail(writer.dataFolder, `"o":${DAMAGED_EVENT},`);
    await eventually(async () => (await health()).status === 200, { what: 'it is well again', timeoutMs: WAIT_MS });
    // A scrape that was missed ends an alert too: Prometheus has to know the value while none fires.
    await eventually(
      async () => (await value('sentinel_audit_chain_verified')) === '1' && (await firing()).length === 0,
      { what: 'the alert ends', timeoutMs: WAIT_MS },
    );
  });
});

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freePort } from '@sentinel/test-kit';
import { runNode } from '../harness/cli.js';
import { BIN } from '../harness/paths.js';
import { Stack } from '../harness/stack.js';

const EXIT_CONFIGURATION = 78;
const EXIT_UNAVAILABLE = 69;
const SERVICES = [
  {
    name: 'engine',
    bin: BIN.engine,
    section: 'correlation_engine',
    wrong: 'listen_adress',
    nearest: 'listen_address',
    number: 'database.max_connections',
  },
  {
    name: 'ledger',
    bin: BIN.ledger,
    section: 'audit_ledger',
    wrong: 'data_dri',
    nearest: 'data_dir',
    number: 'chain.batch_size',
  },
  {
    name: 'agent',
    bin: BIN.agent,
    section: 'probe_agent',
    wrong: 'burst_budget_pc',
    nearest: 'burst_budget_pct',
    number: 'batch_size',
  },
] as const;

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'sentinel-config-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function configFile(name: string, text: string): string {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, text);
  return file;
}

describe('a bad configuration ends every service with status 78', () => {
  for (const { name, bin, section, wrong, nearest, number } of SERVICES) {
    test(`${name}: an unknown key, with file, line and the nearest valid key`, async () => {
      const file = configFile(`${name}-unknown`, `logging:\n  level: info\n${section}:\n  ${wrong}: x\n`);
      const { code, stderr } = await runNode(bin, ['--config', file]);
      assert.equal(code, EXIT_CONFIGURATION, stderr);
      assert.ok(stderr.includes(`${file}:4`), stderr);
      assert.ok(stderr.includes(`${section}.${wrong}`), stderr);
      assert.ok(stderr.includes(nearest), stderr);
    });

    test(`${name}: a value of the wrong type and one out of range, both named`, async () => {
      const [group, key] = number.includes('.') ? number.split('.') : [null, number];
      const line = group === null ? `  ${key}: -5\n` : `  ${group}:\n    ${key}: -5\n`;
      const file = configFile(`${name}-value`, `${section}:\n  metrics:\n    enabled: perhaps\n${line}`);
      const { code, stderr } = await runNode(bin, ['--config', file]);
      assert.equal(code, EXIT_CONFIGURATION, stderr);
      assert.ok(stderr.includes(`${file}:3`) && stderr.includes(`${section}.metrics.enabled`), stderr);
      assert.ok(stderr.includes(`${section}.${number}`), stderr);
    });

    test(`${name}: a file that is not there`, async () => {
      const missing = join(folder, 'nowhere.yaml');
      const { code, stderr } = await runNode(bin, ['--config', missing]);
      assert.equal(code, EXIT_CONFIGURATION, stderr);
      assert.ok(stderr.includes(missing), stderr);
    });

    test(`${name}: a wrong --override names its key`, async () => {
      const file = configFile(`${name}-empty`, `${section}: {}\n`);
      const { code, stderr } = await runNode(bin, ['--config', file, '--override', `${wrong}=1`]);
      assert.equal(code, EXIT_CONFIGURATION, stderr);
      assert.ok(stderr.includes(nearest), stderr);
    });
  }
});

describe('what a service needs and does not get', () => {
  test('a missing secret is named by its key and ends with status 78', async () => {
    await using stack = await Stack.prepare({
      engine: { hmac_keys_path: join(folder, 'no.keys') },
      ledger: { signing_key_path: join(folder, 'no.key') },
    });
    for (const [service, key] of [
      [stack.engine, 'correlation_engine.hmac_keys_path'],
      [stack.ledger, 'audit_ledger.signing_key_path'],
    ] as const) {
      service.launch();
      const { code } = await service.ended();
      assert.equal(code, EXIT_CONFIGURATION, service.tail());
      assert.ok(service.text.includes(key), service.tail());
    }
  });

  test('a secret that others may write is refused', async () => {
    await using stack = await Stack.prepare();
    chmodSync(stack.secrets.hmacKeysFile, 0o666);
    stack.engine.launch();
    assert.equal((await stack.engine.ended()).code, EXIT_CONFIGURATION, stack.engine.tail());
    assert.match(stack.engine.text, /chmod 600/);
  });

  test('a taken gRPC port is fatal and said in one sentence with the setting', async () => {
    const port = await freePort();
    const taken = createServer().listen(port, '127.0.0.1');
    const address = `127.0.0.1:${port}`;
    await using stack = await Stack.prepare({
      engine: { listen_address: address },
      ledger: { listen_address: address },
    });
    try {
      for (const [service, key] of [
        [stack.engine, 'correlation_engine.listen_address'],
        [stack.ledger, 'audit_ledger.listen_address'],
      ] as const) {
        service.launch();
        const { code } = await service.ended();
        assert.equal(code, EXIT_UNAVAILABLE, service.tail());
        const fatal = service.lines.find(({ level }) => level === 'fatal');
        assert.ok(fatal?.msg.includes(address) === true && fatal.msg.includes(key), service.tail());
      }
    } finally {
      taken.close();
    }
  });

  test("a taken metrics port warns with the setting, and the agent's probing goes on", async () => {
    const port = await freePort();
    const taken = createServer().listen(port, '127.0.0.1');
    await using stack = await Stack.prepare({ agent: { metrics: { listen_address: `127.0.0.1:${port}` } } });
    try {
      const agent = stack.agent();
      await agent.start();
      const warning = await agent.line(
        'the taken port',
        30_000,
        ({ level, msg }) => level === 'warn' && msg.includes('metrics'),
      );
      assert.ok(warning.msg.includes('probe_agent.metrics.listen_address'), warning.msg);
    } finally {
      taken.close();
    }
  });
});

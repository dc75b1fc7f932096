import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { writeSigningKey } from '@sentinel/audit-ledger/keygen';
import { AuditServiceClient, AuditType } from '@sentinel/contracts/sentinel/v1/audit.js';
import { callUnary, createClient } from '@sentinel/service-kit/grpc-client';
import { startProcess, type TemporaryFolder } from '@sentinel/test-kit';
import { GPU, NOW_US } from './samples.js';

const BIN = fileURLToPath(new URL('../../../audit-ledger/bin/sentinel-audit-ledger.mjs', import.meta.url));
const TOKEN = 'a service token of tests';

/** The real audit ledger, as a process of its own, over `folder`. */
export async function startLedger(folder: TemporaryFolder) {
  const secret = (name: string, text: string): string => {
    writeFileSync(folder.join(name), `${text}\n`, { mode: 0o600 });
    return folder.join(name);
  };
  writeSigningKey(folder.join('ledger.key'), 'sentinel/test');
  const local = { listen_address: '127.0.0.1:0' };
  const config = {
    audit_ledger: {
      ...local,
      http: local,
      metrics: local,
      tls: { enabled: false },
      data_dir: folder.join('ledger'),
      // However long a test takes, it knows every entry.
      chain: { flush_interval_seconds: 3_600 },
      signing_key_path: folder.join('ledger.key'),
      operator_token_path: secret('operator.token', 'an operator token of tests'),
      service_token_path: secret('service.token', TOKEN),
    },
  };
  // JSON is YAML.
  writeFileSync(folder.join('sentinel.yaml'), JSON.stringify(config));
  const ready = folder.join('ready.json');
  const command = [process.execPath, BIN, '--config', folder.join('sentinel.yaml'), '--ready-file', ready] as const;
  const running = await startProcess({ command: [...command], ready: { file: ready } });
  const { grpc, http } = running.ready as { grpc: string; http: string };
  return { grpc, http, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}

/** Logs `n` decisions about GPU. */
export async function logEvents(address: string, n: number): Promise<void> {
  const client = createClient(AuditServiceClient, { address, tls: null, token: TOKEN });
  const events = Array.from({ length: n }, (_, i) => ({
    eventId: randomBytes(16),
    type: AuditType.DECISION,
    gpu: GPU,
    eventUs: NOW_US + BigInt(i),
    detail: Buffer.from(`{"event":"state_changed","from":"HEALTHY","n":${i},"to":"SUSPECT"}`),
    injected: false,
  }));
  try {
    const request = { producer: 'test/1', producerEpoch: 0n, firstSequence: 0n, events };
    await callUnary(client, client.ingestEvents, request);
  } finally {
    client.close();
  }
}

/** Stands between a verifier and the ledger, and changes what it says. */
export async function startLiar(http: string, lie: (path: string, body: Buffer) => Buffer) {
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    fetch(`http://${http}${path}`)
      .then(async (answer) => {
        response.statusCode = answer.status;
        response.end(lie(path, Buffer.from(await answer.arrayBuffer())));
      })
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, [Symbol.asyncDispose]: close };
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeSigningKey } from '@sentinel/audit-ledger/keygen';
import { AuditServiceClient, AuditType } from '@sentinel/contracts/sentinel/v1/audit.js';
import { callUnary, createClient } from '@sentinel/service-kit/grpc-client';
import type { ReadyInfo } from '@sentinel/service-kit/lifecycle';
import { type Outcome, runNode } from './cli.js';
import { BIN } from './paths.js';
import { Service } from './service.js';

const BATCH = 1024;
const TOKEN = 'service-token-of-tests';

/** A ledger alone, through its own commands, filled with entries that nobody decided. */
export class LedgerProcess implements AsyncDisposable {
  readonly verifierKey: string;
  readonly #config: string;
  readonly #service: Service;
  #ready: ReadyInfo = {};

  /** @param folder exists */
  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.verifierKey = writeSigningKey(join(folder, 'ledger.key'), 'sentinel/foreign');
    this.#config = join(folder, 'sentinel.yaml');
    const config = {
      listen_address: '127.0.0.1:0',
      tls: { enabled: false },
      http: { listen_address: '127.0.0.1:0' },
      metrics: { enabled: false },
      data_dir: join(folder, 'ledger'),
      signing_key_path: join(folder, 'ledger.key'),
      service_token: TOKEN,
    };
    writeFileSync(this.#config, JSON.stringify({ audit_ledger: config }));
    this.#service = new Service({
      name: 'ledger',
      bin: BIN.ledger,
      args: ['--config', this.#config],
      readyFile: join(folder, 'ready.json'),
    });
  }

  get http(): string {
    return `http://${this.#ready.http}`;
  }

  async start(): Promise<void> {
    this.#ready = await this.#service.start();
  }

  /** Adds `count` entries with details of some 200 bytes. */
  async fill(count: number): Promise<void> {
    const client = createClient(AuditServiceClient, {
      address: this.#ready.grpc ?? '',
      tls: null,
      token: TOKEN,
    });
    try {
      for (let first = 0; first < count; first += BATCH) {
        const events = Array.from({ length: Math.min(BATCH, count - first) }, (_, i) => eventOf(first + i));
        const request = { producer: 'tests/1', producerEpoch: 0n, firstSequence: 0n, events };
        await callUnary(client, client.ingestEvents, request);
      }
    } finally {
      client.close();
    }
  }

  /** Runs `sentinel-audit-ledger …` on this log. */
  run(...args: readonly string[]): Promise<Outcome> {
    return runNode(BIN.ledger, ['--config', this.#config, ...args]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#service.end();
  }
}

/** Something that reports cite. */
const ORDERED = { actor: 'maria', event: 'state_changed', from: 'HEALTHY', to: 'SUSPECT' };

function eventOf(n: number) {
  const eventId = Buffer.alloc(16);
  eventId.writeUInt32BE(n, 0);
  return {
    eventId,
    type: AuditType.DECISION,
    gpu: `GPU-${n % 64}`,
    eventUs: 1_700_000_000_000_000n + BigInt(n),
    detail: Buffer.from(JSON.stringify(n % 100 === 0 ? ORDERED : { event: 'test', n, padding: 'x'.repeat(150) })),
    injected: false,
  };
}

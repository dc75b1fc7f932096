import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { AuditServiceClient } from '@sentinel/contracts/sentinel/v1/audit.js';
import type { AuditLedgerConfig, Streams } from '@sentinel/service-kit/config';
import { EXIT, SentinelError } from '@sentinel/service-kit/errors';
import { createClient } from '@sentinel/service-kit/grpc-client';
import { ConsistencyCheck } from '../hammer/consistency.js';
import { Load } from '../hammer/load.js';
import { tlsFilesOf, verifierKeyOf } from '../settings.js';
import type { Command } from './index.js';

const DEFAULT_RATE = 1_000;
const DEFAULT_SECONDS = 30;
const DEFAULT_PRODUCERS = 4;
/** Requests a second of one producer at most; beyond it they carry more events. */
const MOST_REQUESTS = 250;
const MOST_EVENTS = 100;
const WINDOW_EVENTS = 8_000;
const LOOK_MS = 1_000;
const FINISH_MS = 30_000;

/** Puts load on a running ledger and holds every acknowledgement against what it promises. Its entries stay for ever. */
export const hammer: Command = async ({ config, flags }, streams) => {
  if (!flags['write-test-entries'])
    throw new SentinelError({
      code: 'INVALID_ARGUMENT',
      field: '--write-test-entries',
      message: 'hammer writes entries that nobody can remove from the log again',
      hint: 'Where that is meant, add --write-test-entries; they are marked INJECTED.',
    });
  const { rate = DEFAULT_RATE, duration = DEFAULT_SECONDS, producers = DEFAULT_PRODUCERS } = flags;
  const connect = connector(config, flags.endpoint ?? config.listen_address);
  const load = new Load({
    connect,
    key: verifierKeyOf(config),
    run: randomBytes(4).toString('hex'),
    producers,
    eventsPerRequest: rate === 0 ? MOST_EVENTS : Math.min(Math.ceil(rate / producers / MOST_REQUESTS), MOST_EVENTS),
    rate,
    windowEvents: WINDOW_EVENTS,
  });
  const client = connect();
  const consistency = new ConsistencyCheck(client, load.check);
  load.start();
  const started = performance.now();
  while (performance.now() - started < duration * 1000) {
    await delay(Math.min(LOOK_MS, duration * 1000));
    await consistency.look();
  }
  const seconds = (performance.now() - started) / 1000;
  const { acked } = load;
  await load.finish(FINISH_MS);
  await consistency.look();
  client.close();
  return report(load, consistency, { acked, seconds, rate }, streams);
};

function connector(config: AuditLedgerConfig, address: string): () => AuditServiceClient {
  const files = tlsFilesOf(config);
  const tls = config.tls.enabled ? { files, keyPrefix: 'audit_ledger.tls', serverName: '' } : null;
  return () => createClient(AuditServiceClient, { address, tls, token: config.service_token });
}

interface Run {
  readonly acked: number;
  readonly seconds: number;
  readonly rate: number;
}

function report(load: Load, { proved }: ConsistencyCheck, { acked, seconds, rate }: Run, { stdout }: Streams): number {
  const { check, latencies, refusals, refusalsWithRetry, unacked, leftOut } = load;
  const ms = (rank: number): string => latencies.quantile(rank).toFixed(1);
  const asked = rate === 0 ? 'as fast as it goes' : `${rate} asked`;
  stdout.write(
    `${acked} test entries acknowledged in ${seconds.toFixed(1)} s: ${Math.round(acked / seconds)} per second (${asked}), p50 ${ms(0.5)} ms, p99 ${ms(0.99)} ms\n`,
  );
  const count = [...refusals].map(([code, times]) => `${code} ${times}`).join(', ') || 'none';
  stdout.write(
    `refusals: ${count}; ${refusalsWithRetry} said when to come back; ${leftOut} entries not offered, ${unacked} never acknowledged\n`,
  );
  if (check.broken === 0 && unacked === 0) {
    stdout.write(
      `ok: each acknowledgement holds under its signed checkpoint; ${proved} times the log was proved to have only grown\n`,
    );
    return EXIT.ok;
  }
  stdout.write(`BROKEN: ${check.broken} promises\n`);
  for (const problem of check.problems) stdout.write(`  ${problem}\n`);
  return EXIT.negative;
}

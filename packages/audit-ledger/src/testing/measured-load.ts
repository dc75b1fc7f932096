/** What a running writer does under a load that checks every acknowledgement. */
import { setTimeout as delay } from 'node:timers/promises';
import { processCpuMilliseconds } from '@sentinel/bench-kit';
import { Latencies } from '../hammer/latencies.js';
import { Load } from '../hammer/load.js';
import { parseVerifierKey } from '../note/keys.js';
import { clientOf } from './wire.js';
import type { WriterProcess } from './writer-process.js';

const PRODUCERS = 4;
const WARM_UP_MS = 5_000;
const FINISH_MS = 20_000;

export interface Target {
  readonly writer: WriterProcess;
  /** Its gRPC address. */
  readonly grpc: string;
  /** Of the measured part. */
  readonly seconds: number;
  readonly log: (line: string) => void;
}

/**
 * From when an event was due, one in each request, until it was acknowledged under a signed checkpoint; the load does not wait for
 * acknowledgements, so a stall counts for every event that it delays.
 */
export async function latencyAt(rate: number, { writer, grpc, seconds, log }: Target) {
  const load = new Load({
    connect: () => clientOf(grpc),
    key: parseVerifierKey(writer.verifierKey),
    run: 'latency',
    producers: PRODUCERS,
    eventsPerRequest: 1,
    rate,
    windowEvents: 4_096,
  });
  load.start();
  await delay(WARM_UP_MS);
  load.latencies = new Latencies();
  const [ackedBefore, started] = [load.acked, performance.now()];
  await delay(seconds * 1000);
  const achieved = (load.acked - ackedBefore) / ((performance.now() - started) / 1000);
  const [p50_ms, p99_ms] = [load.latencies.quantile(0.5), load.latencies.quantile(0.99)];
  await load.finish(FINISH_MS);
  for (const problem of load.check.problems) log(problem);
  log(`${load.acked} entries acknowledged, ${load.leftOut} left out, ${load.unacked} never acknowledged`);
  return { rate: achieved, p50_ms, p99_ms, broken_promises: load.check.broken + load.unacked + load.leftOut };
}

/** As many entries as it takes; the whole log is verified afterwards, for which the writer ends. CPU per entry in microseconds. */
export async function throughputOf({ writer, grpc, seconds, log }: Target) {
  const load = new Load({
    connect: () => clientOf(grpc),
    key: parseVerifierKey(writer.verifierKey),
    run: 'throughput',
    producers: PRODUCERS,
    eventsPerRequest: 100,
    rate: 0,
    windowEvents: 8_000,
  });
  load.start();
  await delay(WARM_UP_MS);
  const [ackedBefore, started] = [load.acked, performance.now()];
  const [writerBefore, clientBefore] = [await processCpuMilliseconds(writer.pid ?? 0), process.cpuUsage()];
  await delay(seconds * 1000);
  const acked = load.acked - ackedBefore;
  const entries_per_second = acked / ((performance.now() - started) / 1000);
  const { user, system } = process.cpuUsage(clientBefore);
  const client_us = (user + system) / acked;
  const writer_us = (((await processCpuMilliseconds(writer.pid ?? 0)) - writerBefore) * 1000) / acked;
  await load.finish(FINISH_MS);
  await writer.signal('SIGTERM');
  const verified = await writer.run('verify', '--full');
  log(`${load.acked} entries; ${verified.output.trim()}`);
  for (const problem of load.check.problems) log(problem);
  const broken_promises = load.check.broken + load.unacked + (verified.code === 0 ? 0 : 1);
  return { entries_per_second, writer_us, client_us, broken_promises };
}

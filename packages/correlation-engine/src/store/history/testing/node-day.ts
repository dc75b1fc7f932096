import { createHash } from 'node:crypto';
import type { ProbeFamily } from '@sentinel/contracts/sentinel/v1/common.js';
import { ProbeBatch, TelemetrySample, UplinkPayload } from '@sentinel/contracts/sentinel/v1/probe.js';
import type { HistoryRecord } from '../history-record.js';

/** What the agent of one node with eight GPUs sends in a day at the default schedule, as the agent groups and numbers it. */

export const GPUS = 8;
export const SMS = 132;
const MINUTE_US = 60_000_000;
const DAY_US = 86_400_000_000;
const EPOCH_US = 10_000_000;
/** Runs of one loop follow each other by so much more than their duration. */
const PAUSE_US = 250;
/** Period in minutes of each family of a GPU, by its number on the wire, with the usual duration of a run in microseconds. */
export const FAMILIES: readonly (readonly [family: number, minutes: number, durationUs: number])[] = [
  ...[1, 3, 6, 7].map((family) => [family, 1, 4_000] as const),
  ...[8, 9, 10, 11, 12, 13].map((family) => [family, 1, 6_000] as const),
  [14, 2, 5_000],
  [15, 2, 9_000],
  [2, 5, 3_000],
  [16, 5, 7_000],
  [17, 10, 12_000],
  [18, 10, 40_000],
  [19, 10, 25_000],
];
/** Fields of a GPU that change all the time. */
const CHANGING = [
  'temperature_c',
  'temperature_memory_c',
  'power_w',
  'power_average_w',
  'power_instant_w',
  'energy_j',
  'clock_graphics_mhz',
  'clock_sm_mhz',
  'utilization_gpu_pct',
  'utilization_memory_pct',
  'memory_used_bytes',
];

/** xorshift32: the same day on every machine. */
function randomFrom(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

function digestOf(family: number, epoch: number): number {
  return createHash('sha256').update(`${family}.${epoch}`).digest().readUInt32BE(0);
}

interface Gpu {
  readonly id: string;
  readonly offsetUs: number;
}

/** @param dayUs its first microsecond @param firstSeq commit_seq before it, which is shared with other nodes */
export function* nodeDay(node: string, dayUs: number, firstSeq: number): Generator<HistoryRecord> {
  const random = randomFrom(createHash('sha256').update(node).digest().readUInt32BE(0));
  const hex = createHash('sha256').update(node).digest('hex');
  const gpus = Array.from({ length: GPUS }, (_, i): Gpu => {
    const id = createHash('sha256').update(`${node}/${i}`).digest('hex');
    const uuid = [id.slice(0, 8), id.slice(8, 12), id.slice(12, 16), id.slice(16, 20), id.slice(20, 32)].join('-');
    return { id: `GPU-${uuid}`, offsetUs: Math.floor(random() * EPOCH_US) };
  });
  let sequence = 0;
  let commitSeq = firstSeq;
  const record = (body: UplinkPayload['body'], nowUs: number, devices: string[]): HistoryRecord => {
    sequence += 1;
    commitSeq += 1 + Math.floor(random() * 2_000);
    const createdUs = BigInt(nowUs - 1_500);
    const payload = UplinkPayload.encode({
      createdUs,
      buildId: '0.1.0-alpha+4bf5283',
      testBuild: false,
      body,
    }).finish();
    return { node, spoolId: hex.slice(0, 32), sequence, commitSeq, nowUs, offsetUs: 1_234, devices, payload };
  };
  for (let minute = 0; minute < DAY_US / MINUTE_US; minute += 1) {
    const startUs = dayUs + minute * MINUTE_US;
    for (const { id, offsetUs } of gpus.toSorted((a, b) => a.offsetUs - b.offsetUs)) {
      const batch = runsOf(id, minute, startUs + offsetUs, random);
      yield record(
        { $case: 'probeBatch', value: batch },
        startUs + offsetUs + 1_100_000 + Math.floor(random() * 5_000),
        [id],
      );
    }
    if (minute % 10 === 9) {
      const samples = gpus.map(({ id }) => sampleOf(id, startUs + 5_000_000, random));
      yield record(
        { $case: 'telemetry', value: { samples } },
        startUs + 30_000_000,
        gpus.map(({ id }) => id),
      );
    }
  }
}

function runsOf(id: string, minute: number, startUs: number, random: () => number): ProbeBatch {
  const batch = ProbeBatch.fromPartial({ baseTimeUs: BigInt(startUs), deviceIds: [id] });
  const epoch = Math.floor(startUs / EPOCH_US);
  batch.contexts.push({
    temperatureC: 55 + Math.floor(random() * 8),
    clockMhz: 1_700 + 15 * Math.floor(random() * 18),
    powerW: 350 + Math.floor(random() * 300),
    clockEventReasons: 0n,
    hot: random() < 0.2,
  });
  let at = Math.floor(random() * 2_000);
  for (const [family, minutes, usual] of FAMILIES) {
    if (minute % minutes !== 0) continue;
    const durationUs = Math.round(usual * (1 + 0.02 * (random() + random() - 1)));
    batch.deviceIndex.push(0);
    batch.family.push(family as ProbeFamily);
    batch.kind.push(1);
    batch.epoch.push(epoch);
    batch.index.push(0);
    batch.startOffsetUs.push(at);
    batch.durationUs.push(durationUs);
    batch.smsPlanned.push(SMS);
    batch.smsRun.push(SMS);
    batch.singleSm.push(0);
    batch.flags.push(5);
    batch.goldenDigest.push(digestOf(family, epoch));
    batch.directiveIndex.push(0);
    batch.contextIndex.push(1);
    at += durationUs + PAUSE_US + Math.floor(random() * 200);
  }
  return batch;
}

function sampleOf(deviceId: string, timeUs: number, random: () => number): TelemetrySample {
  const values = Object.fromEntries(CHANGING.map((name) => [name, Math.round(random() * 1e6) / 10]));
  return TelemetrySample.fromPartial({ deviceId, timeUs: BigInt(timeUs), values, partial: true });
}

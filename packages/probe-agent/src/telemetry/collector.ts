import { setTimeout as delay } from 'node:timers/promises';
import type { TelemetrySample } from '@sentinel/contracts/sentinel/v1/probe.js';
import type { XidEvent } from '@sentinel/native-probes';
import type { Clock } from '@sentinel/service-kit/clock';
import { FaultWatch } from './fault-watch.js';
import { LatestReadings } from './latest.js';
import type { LoudFault, Sensors } from './reading.js';
import { SampleDiff } from './sample-diff.js';

/** A device whose sensors did not answer is asked again after 1, 2, 4 … intervals, at most so many. */
const MOST_SKIPPED = 32;

/** A loud fault marks the runs of this many intervals. */
const LOUD_INTERVALS = 2;

/** How long a mismatch waits for its device to be looked at again. */
const LOOK_TIMEOUT_MS = 2_000;

export interface CollectorParts {
  readonly sensors: readonly Sensors[];
  /** Xid events since the last call; null where no device has any. */
  readonly takeXids: (() => Promise<{ readonly events: readonly XidEvent[]; readonly problem: string | null }>) | null;
  readonly intervalMs: number;
  readonly clock: Clock;
  /** Takes over the samples of one round. */
  readonly send: (samples: TelemetrySample[]) => Promise<void>;
  readonly onFault: (fault: LoudFault) => void;
  /** Telemetry of a device (of Xids: '') changed from answering to not answering, or back (null). */
  readonly onProblem: (deviceId: string, problem: string | null) => void;
  /** Ends whatever the sensors wait for. */
  readonly close: () => Promise<void>;
}

interface Device {
  readonly sensors: Sensors;
  readonly diff: SampleDiff;
  /** Looks without an answer, one after the other. */
  failures: number;
  /** Rounds that are still left out. */
  skip: number;
}

/**
 * Reads the sensors of every device at regular intervals. Nothing here touches the processes that probe: a device whose sensors
 * hang delays the readings of the others and no run.
 */
export class TelemetryCollector {
  readonly latest: LatestReadings;
  readonly #parts: CollectorParts;
  readonly #devices: readonly Device[];
  readonly #watch = new FaultWatch();
  readonly #problems = new Map<string, string>();
  #turn: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #inRound = false;
  #stopped = false;

  constructor(parts: CollectorParts) {
    this.#parts = parts;
    this.#devices = parts.sensors.map((sensors) => ({ sensors, diff: new SampleDiff(), failures: 0, skip: 0 }));
    this.latest = new LatestReadings(parts.intervalMs, () => parts.clock.monotonicMs());
  }

  /** Reads once, and then at every interval. */
  start(): void {
    this.#timer = setInterval(() => void this.round(), this.#parts.intervalMs);
    void this.round();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#parts.close();
    await this.#turn;
  }

  /** The engine may have forgotten what it was sent: the next samples are whole. */
  restart(): void {
    for (const { diff } of this.#devices) diff.restart();
  }

  /** One look at every device that is due. Left out while the one before is not finished. */
  async round(): Promise<void> {
    if (this.#inRound) return;
    this.#inRound = true;
    try {
      await this.#exclusively(() => this.#xids());
      const samples: TelemetrySample[] = [];
      for (const device of this.#devices) {
        if (this.#stopped) break;
        if (device.skip > 0) device.skip -= 1;
        else samples.push(...(await this.#exclusively(() => this.#look(device))));
      }
      if (samples.length > 0) await this.#parts.send(samples);
    } finally {
      this.#inRound = false;
    }
  }

  /** Whether the device had a loud fault within the last two intervals, the present moment included. */
  async recently(deviceId: string): Promise<boolean> {
    const { clock, intervalMs } = this.#parts;
    const device = this.#devices.find(({ sensors }) => sensors.deviceId === deviceId);
    if (device !== undefined && device.failures === 0) {
      const look = this.#exclusively(async () => {
        await this.#xids();
        const samples = await this.#look(device);
        if (samples.length > 0) await this.#parts.send(samples);
      });
      await Promise.race([look, delay(LOOK_TIMEOUT_MS, undefined, { ref: false })]);
    }
    return this.#watch.since(deviceId, clock.monotonicMs() - LOUD_INTERVALS * intervalMs);
  }

  /** One look at a time: counters are compared in the order in which they were read. */
  #exclusively<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(action);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #xids(): Promise<void> {
    if (this.#parts.takeXids === null || this.#stopped) return;
    const { events, problem } = await this.#parts.takeXids();
    this.#say('', problem);
    for (const { uuid, xid } of events) {
      for (const deviceId of this.#devicesOn(uuid)) {
        this.#watch.note(deviceId, this.#parts.clock.monotonicMs());
        this.#parts.onFault({ kind: 'xid', deviceId, detail: `Xid ${xid} on ${uuid}` });
      }
    }
  }

  /** Devices that an event of a GPU concerns: itself, or its MIG instances. */
  #devicesOn(uuid: string): string[] {
    const ids = this.#devices.map(({ sensors }) => sensors.deviceId);
    return ids.filter((id) => id === uuid || this.latest.reading(id)?.texts['parent_uuid'] === uuid);
  }

  async #look(device: Device): Promise<TelemetrySample[]> {
    const { clock, onFault } = this.#parts;
    const { deviceId } = device.sensors;
    const timeUs = clock.nowUs();
    const { reading, problem, lost } = await device.sensors.read();
    const monoMs = clock.monotonicMs();
    this.#say(deviceId, problem);
    for (const fault of this.#watch.lost(deviceId, lost, problem ?? '', monoMs)) onFault(fault);
    if (reading === null) {
      device.skip = Math.min(MOST_SKIPPED, 2 ** device.failures) - 1;
      device.failures += 1;
      return [];
    }
    device.failures = 0;
    for (const fault of this.#watch.observe(deviceId, reading, monoMs)) onFault(fault);
    this.latest.put(deviceId, reading);
    const difference = device.diff.next(reading, monoMs);
    return difference === null ? [] : [{ deviceId, timeUs, ...difference }];
  }

  #say(deviceId: string, problem: string | null): void {
    if (this.#stopped || (this.#problems.get(deviceId) ?? null) === problem) return;
    if (problem === null) this.#problems.delete(deviceId);
    else this.#problems.set(deviceId, problem);
    this.#parts.onProblem(deviceId, problem);
  }
}

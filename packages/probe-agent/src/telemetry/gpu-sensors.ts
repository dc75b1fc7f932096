import type { GpuTelemetry, NvmlError, XidEvent } from '@sentinel/native-probes';
import type { ChildReply, ProbeChild } from '../probe-child/probe-child.js';
import type { Reading, Sensed, Sensors } from './reading.js';

/** NVML answers in milliseconds; one that takes this long hangs, and its child is replaced. */
export const NVML_TIMEOUT_MS = 5_000;

/** Codes of NVML that say that the device itself is gone. */
const LOST: ReadonlySet<string> = new Set(['GPU_IS_LOST', 'RESET_REQUIRED']);

export interface GpuSensorsOptions {
  readonly nvlink: boolean;
  readonly pcie: boolean;
}

/** Sensors of a GPU or MIG instance through NVML, in a child process that probes nothing. */
export class GpuSensors implements Sensors {
  readonly deviceId: string;
  readonly #child: Pick<ProbeChild, 'ask'>;
  readonly #options: GpuSensorsOptions;

  constructor(uuid: string, child: Pick<ProbeChild, 'ask'>, options: GpuSensorsOptions) {
    this.deviceId = uuid;
    this.#child = child;
    this.#options = options;
  }

  async read(): Promise<Sensed> {
    const request = { uuid: this.deviceId, ...this.#options };
    const reply = await this.#child.ask('gpuTelemetry', request, NVML_TIMEOUT_MS);
    if (reply.kind !== 'answer') return { reading: null, problem: reply.reason, lost: false };
    const { error, fields } = reply.value;
    return {
      // What a device that is being lost still said is no whole reading: fields would seem to have gone.
      reading: error === null ? toReading(fields) : null,
      problem: error === null ? null : sentence(error),
      lost: error !== null && LOST.has(error.name),
    };
  }
}

/** Xid events since the last call, or why they cannot be had. */
export async function takeXids(
  child: Pick<ProbeChild, 'ask'>,
): Promise<{ readonly events: readonly XidEvent[]; readonly problem: string | null }> {
  const reply: ChildReply<{ error: NvmlError | null; events: XidEvent[] }> = await child.ask(
    'gpuXids',
    null,
    NVML_TIMEOUT_MS,
  );
  if (reply.kind !== 'answer') return { events: [], problem: reply.reason };
  const { error, events } = reply.value;
  return { events, problem: error === null ? null : sentence(error) };
}

function toReading(fields: GpuTelemetry): Reading {
  const entries = Object.entries(fields);
  return {
    values: Object.fromEntries(entries.filter((pair): pair is [string, number] => typeof pair[1] === 'number')),
    texts: Object.fromEntries(entries.filter((pair): pair is [string, string] => typeof pair[1] === 'string')),
  };
}

function sentence({ call, name }: NvmlError): string {
  return `${call}: ${name}`;
}

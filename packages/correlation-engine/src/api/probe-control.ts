import type {
  PauseDeviceRequest,
  PauseDeviceResponse,
  ResumeDeviceRequest,
  ResumeDeviceResponse,
  SetScheduleRequest,
  SetScheduleResponse,
} from '@sentinel/contracts/sentinel/v1/probe_control.js';
import type { Identity } from '@sentinel/service-kit/auth';
import type { Clock } from '@sentinel/service-kit/clock';
import { ConfigError, parseSchedule } from '@sentinel/service-kit/config';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Committer } from '../commit/committer.js';
import type { Effects, ProbeControlRecord } from '../core.js';
import { findDevice } from './find-device.js';
import { checkText, invalid, MAX_REASON_BYTES } from './order-checks.js';

const MAX_YAML_BYTES = 65_536;
const MAX_PAUSE_MS = 366 * 24 * 3_600_000;

/** Operators' orders about probing. Each says how things shall be, so that repeating one is harmless. */
export class ProbeControl {
  readonly #committer: Committer;
  readonly #clock: Clock;

  constructor(committer: Committer, clock: Clock) {
    this.#committer = committer;
    this.#clock = clock;
  }

  /** @throws SentinelError INVALID_ARGUMENT, NOT_FOUND or UNAVAILABLE */
  async pause({ gpu, durationMs, reason }: PauseDeviceRequest, caller: Identity): Promise<PauseDeviceResponse> {
    if (durationMs > BigInt(MAX_PAUSE_MS)) throw invalid('duration_ms', `must be at most ${MAX_PAUSE_MS}`);
    const { id } = findDevice(this.#committer.state, gpu);
    const untilUs = durationMs === 0n ? 0n : this.#clock.nowUs() + durationMs * 1000n;
    const paused = { untilUs: Number(untilUs) };
    await this.#commit({ kind: 'pause', gpu: id, paused, reason, actor: caller.subject });
    return { gpu: id, untilUs };
  }

  /** @throws SentinelError likewise */
  async resume({ gpu, reason }: ResumeDeviceRequest, caller: Identity): Promise<ResumeDeviceResponse> {
    const { id } = findDevice(this.#committer.state, gpu);
    await this.#commit({ kind: 'pause', gpu: id, paused: null, reason, actor: caller.subject });
    return { gpu: id };
  }

  /** Refuses what the agent would refuse. @throws SentinelError likewise */
  async setSchedule({ node, yaml, reason }: SetScheduleRequest, caller: Identity): Promise<SetScheduleResponse> {
    if (Buffer.byteLength(yaml) > MAX_YAML_BYTES) throw invalid('yaml', `must have at most ${MAX_YAML_BYTES} bytes`);
    if (yaml !== '') checkSchedule(yaml);
    await this.#commit({ kind: 'schedule', node, yaml, reason, actor: caller.subject });
    return { version: this.#committer.state.nodes.get(node)?.control?.schedule?.version ?? '' };
  }

  async #commit(record: ProbeControlRecord): Promise<void> {
    checkText('reason', record.reason, MAX_REASON_BYTES);
    const { refusal } = await new Promise<Effects>((committed, failed) => {
      this.#committer.submit({ kind: 'order', record, committed, failed });
    });
    if (refusal === null) return;
    const { message, hint } = refusal;
    throw new SentinelError({ code: 'NOT_FOUND', message, field: record.kind === 'pause' ? 'gpu' : 'node', hint });
  }
}

function checkSchedule(yaml: string): void {
  try {
    parseSchedule('yaml', yaml);
  } catch (error) {
    if (error instanceof ConfigError) throw invalid('yaml', `is no schedule: ${error.message.replaceAll('\n', '; ')}`);
    throw error;
  }
}

import type { AgentControlResponse, PauseDevices, ScheduleUpdate } from '@sentinel/contracts/sentinel/v1/control.js';
import { ConfigError, parseSchedule, type Schedule } from '@sentinel/service-kit/config';
import type { Pause, PauseChange, Pauses } from '../scheduler/pauses.js';
import type { EngineClock } from './engine-clock.js';

export interface ControlParts {
  readonly pauses: Pauses;
  readonly engineClock: Pick<EngineClock, 'toLocalUs'>;
  readonly deviceIds: () => readonly string[];
  /** Agent's wall clock, milliseconds. */
  readonly wallMs: () => number;
  readonly events: {
    deviceChanged(device: string, detail: string): void;
    scheduleChanged(detail: string): void;
    scheduleRefused(detail: string): void;
  };
  /** Follows this schedule from now on; null = that of the configuration. */
  readonly follow: (schedule: Schedule | null) => void;
  /** Something may run again. */
  readonly onWork: () => void;
}

/** Operators' orders that come through the engine: paused devices, and the schedule. The engine repeats both after each hello. */
export class ControlDesk {
  readonly #parts: ControlParts;
  #version = '';
  #yaml = '';

  constructor(parts: ControlParts) {
    this.#parts = parts;
  }

  receive(message: AgentControlResponse['message']): void {
    if (message?.$case === 'pause') this.#pause(message.value);
    if (message?.$case === 'schedule') this.#schedule(message.value);
  }

  /** Tells what happened to devices, whoever asked for it. */
  say(changes: readonly PauseChange[]): void {
    for (const { deviceId, paused } of changes) this.#parts.events.deviceChanged(deviceId, sentenceOf(paused));
    if (changes.length > 0) this.#parts.onWork();
  }

  #pause({ devices }: PauseDevices): void {
    const { pauses, engineClock, deviceIds, wallMs } = this.#parts;
    const ordered = devices.map(({ deviceId, untilUs, reason }): Pause => {
      const untilMs = untilUs === 0n ? Number.POSITIVE_INFINITY : Number(engineClock.toLocalUs(untilUs) / 1000n);
      return { deviceId, untilMs, reason };
    });
    this.say(pauses.order(ordered, deviceIds(), wallMs()));
  }

  #schedule({ yaml, version }: ScheduleUpdate): void {
    const { events, follow } = this.#parts;
    if (yaml === this.#yaml && (yaml === '' || version === this.#version)) return;
    try {
      const schedule = yaml === '' ? null : parseSchedule(`schedule ${version}`, yaml);
      follow(schedule);
      events.scheduleChanged(
        schedule === null
          ? 'schedule: back to the file of the configuration'
          : `schedule: ${schedule.name}, version ${version}, from the engine`,
      );
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      events.scheduleRefused(`schedule refused, the one before stays: ${error.message.replaceAll('\n', '; ')}`);
    }
    // Also of a refused one: it is repeated after each hello, and said once.
    this.#yaml = yaml;
    this.#version = version;
  }
}

function sentenceOf(paused: PauseChange['paused']): string {
  if (paused === null) return 'runs again';
  const until = Number.isFinite(paused.untilMs) ? ` until ${new Date(paused.untilMs).toISOString()}` : '';
  return `is paused${until}: ${paused.reason}`;
}

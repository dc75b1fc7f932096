import type { AgentControlResponse, PauseDevices, ScheduleUpdate } from '@sentinel/contracts/sentinel/v1/control.js';
import { ConfigError, parseSchedule, type Schedule } from '@sentinel/service-kit/config';
import type { Pause, PauseChange, Pauses } from '../scheduler/pauses.js';
import type { EngineClock } from './engine-clock.js';
import { type EngineOrders, NO_ORDERS, type SavedOrders } from './saved-orders.js';

export interface ControlParts {
  readonly saved: Pick<SavedOrders, 'load' | 'save'>;
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
  /** In force. */
  #orders: EngineOrders = NO_ORDERS;
  /** Said last, in force or refused. */
  #heard = NO_ORDERS.schedule;

  constructor(parts: ControlParts) {
    this.#parts = parts;
  }

  /** Goes on with what was in force before the agent was started, until the engine says what is now. */
  restore(): void {
    const { saved, wallMs } = this.#parts;
    this.#orders = saved.load();
    this.#order(this.#orders.pauses.filter(({ untilMs }) => wallMs() < untilMs));
    this.#schedule(this.#orders.schedule);
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
    const { engineClock } = this.#parts;
    const ordered = devices.map(({ deviceId, untilUs, reason }): Pause => {
      const untilMs = untilUs === 0n ? Number.POSITIVE_INFINITY : Number(engineClock.toLocalUs(untilUs) / 1000n);
      return { deviceId, untilMs, reason };
    });
    this.#order(ordered);
  }

  #order(ordered: readonly Pause[]): void {
    const { pauses, deviceIds, wallMs } = this.#parts;
    this.#keep({ ...this.#orders, pauses: ordered });
    this.say(pauses.order(ordered, deviceIds(), wallMs()));
  }

  #keep(orders: EngineOrders): void {
    this.#orders = orders;
    this.#parts.saved.save(orders);
  }

  #schedule({ yaml, version }: ScheduleUpdate): void {
    const { events, follow } = this.#parts;
    if (yaml === this.#heard.yaml && (yaml === '' || version === this.#heard.version)) return;
    try {
      const schedule = yaml === '' ? null : parseSchedule(`schedule ${version}`, yaml);
      follow(schedule);
      this.#keep({ ...this.#orders, schedule: { yaml, version } });
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
    this.#heard = { yaml, version };
  }
}

function sentenceOf(paused: PauseChange['paused']): string {
  if (paused === null) return 'runs again';
  const until = Number.isFinite(paused.untilMs) ? ` until ${new Date(paused.untilMs).toISOString()}` : '';
  return `is paused${until}: ${paused.reason}`;
}

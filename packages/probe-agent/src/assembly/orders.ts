import type { AgentControlResponse } from '@sentinel/contracts/sentinel/v1/control.js';
import type { Schedule } from '@sentinel/service-kit/config';
import type { StopStack } from '@sentinel/service-kit/lifecycle';
import { reloadConfig } from '@sentinel/service-kit/reload';
import type { Loaded } from '../command.js';
import { nodeFolder } from '../identity/node-folder.js';
import type { Events } from '../reporting/events.js';
import { plannedEntries } from '../scheduler/entries.js';
import type { Pauses } from '../scheduler/pauses.js';
import { followed, type Settings, settingsOf } from '../settings.js';
import { ControlDesk } from '../uplink/control-desk.js';
import type { EngineClock } from '../uplink/engine-clock.js';
import { SavedOrders } from '../uplink/saved-orders.js';
import type { Common } from './common.js';
import type { Probing } from './probing.js';

/** How often pauses that ran out are looked for, so that the end of one is said. */
const PAUSES_INTERVAL_MS = 1_000;

export interface OrderParts {
  readonly loaded: Loaded;
  readonly pauses: Pauses;
  readonly probing: Probing;
  readonly events: Events;
  readonly engineClock: EngineClock;
}

/** What may change while the agent runs: by SIGHUP, or by operators through the engine, whose schedule goes before the file's. */
export class Orders {
  readonly #common: Common;
  readonly #parts: OrderParts;
  readonly #desk: ControlDesk;
  #loaded: Loaded;
  #settings: Settings;
  #schedule: Schedule | null = null;

  constructor(common: Common, parts: OrderParts, stack: StopStack) {
    this.#common = common;
    this.#parts = parts;
    this.#loaded = parts.loaded;
    this.#settings = common.settings;
    const { pauses, engineClock, events, probing } = parts;
    const { settings, devices, clock, log } = common;
    const wallMs = () => Number(clock.nowUs() / 1000n);
    this.#desk = new ControlDesk({
      saved: new SavedOrders(nodeFolder(settings.config), log),
      pauses,
      engineClock,
      deviceIds: () => devices.ids,
      wallMs,
      events,
      follow: (schedule) => this.#follow(schedule),
      onWork: () => probing.wake(),
    });
    const expiring = setInterval(() => this.#desk.say(pauses.expire(wallMs())), PAUSES_INTERVAL_MS);
    stack.push('pauses', () => clearInterval(expiring));
    this.#sayAbsent();
    this.#desk.restore();
  }

  receive(message: AgentControlResponse['message']): void {
    this.#desk.receive(message);
  }

  /** SIGHUP. @throws ConfigError; what runs stays */
  reload(): void {
    const { pauses, probing } = this.#parts;
    const { devices, clock, log } = this.#common;
    this.#loaded = reloadConfig(this.#loaded, log);
    this.#settings = settingsOf(this.#loaded);
    probing.reconfigure(followed(this.#settings, this.#schedule));
    const wallMs = Number(clock.nowUs() / 1000n);
    this.#desk.say(pauses.configure(this.#settings.config.paused_devices, devices.ids, wallMs));
    this.#sayAbsent();
  }

  #follow(schedule: Schedule | null): void {
    this.#schedule = schedule;
    this.#parts.probing.reconfigure(followed(this.#settings, schedule));
    this.#sayAbsent();
  }

  #sayAbsent(): void {
    const { schedule } = followed(this.#settings, this.#schedule);
    for (const { id, families, backend } of this.#common.devices.all) {
      const { absent } = plannedEntries(schedule, families, backend);
      if (absent.length === 0) continue;
      this.#common.log.info({ device: id, probes: absent }, 'probes of the schedule that have no family here: not run');
    }
  }
}

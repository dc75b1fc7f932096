/** Paused devices that the engine may name, at most: more are not of one node. */
export const MAX_PAUSES = 1_024;

export interface Pause {
  readonly deviceId: string;
  /** Wall clock, milliseconds; Infinity = until resumed. */
  readonly untilMs: number;
  readonly reason: string;
}

export interface PauseChange {
  readonly deviceId: string;
  /** Null = it runs again. */
  readonly paused: { readonly reason: string; readonly untilMs: number } | null;
}

/**
 * Devices that run nothing for now, by whoever paused them: the configuration or operators through the engine. A device runs when
 * neither pauses it.
 */
export class Pauses {
  #configured: ReadonlySet<string>;
  #ordered: readonly Pause[] = [];

  constructor(configured: readonly string[]) {
    this.#configured = new Set(configured);
  }

  isPaused(deviceId: string, wallMs: number): boolean {
    return (
      this.#configured.has(deviceId) ||
      this.#ordered.some((pause) => pause.deviceId === deviceId && wallMs < pause.untilMs)
    );
  }

  /** Takes the configuration's whole set; returns which of `devices` stopped or started because of it. */
  configure(configured: readonly string[], devices: readonly string[], wallMs: number): PauseChange[] {
    return this.#changed(devices, wallMs, () => {
      this.#configured = new Set(configured);
    });
  }

  /** Takes the engine's whole set. */
  order(pauses: readonly Pause[], devices: readonly string[], wallMs: number): PauseChange[] {
    return this.#changed(devices, wallMs, () => {
      this.#ordered = pauses.slice(0, MAX_PAUSES);
    });
  }

  /** Pauses whose time is over are forgotten; returns the devices that run again because of it. */
  expire(wallMs: number): PauseChange[] {
    const over = this.#ordered.filter(({ untilMs }) => untilMs <= wallMs);
    if (over.length === 0) return [];
    this.#ordered = this.#ordered.filter(({ untilMs }) => untilMs > wallMs);
    return over
      .filter(({ deviceId }) => !this.isPaused(deviceId, wallMs))
      .map(({ deviceId }) => ({ deviceId, paused: null }));
  }

  #changed(devices: readonly string[], wallMs: number, change: () => void): PauseChange[] {
    const before = new Map(devices.map((id) => [id, this.isPaused(id, wallMs)]));
    change();
    return devices
      .filter((id) => this.isPaused(id, wallMs) !== before.get(id))
      .map((deviceId) => ({ deviceId, paused: this.isPaused(deviceId, wallMs) ? this.#why(deviceId, wallMs) : null }));
  }

  #why(deviceId: string, wallMs: number): { readonly reason: string; readonly untilMs: number } {
    const order = this.#ordered.find((pause) => pause.deviceId === deviceId && wallMs < pause.untilMs);
    return order ?? { reason: 'probe_agent.paused_devices', untilMs: Number.POSITIVE_INFINITY };
  }
}

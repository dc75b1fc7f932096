const SECONDS = 60;

/** What each unit of account was charged in each of the last 60 seconds: the figures that metrics and heartbeats show. */
export class OverheadWindow {
  readonly #perUnit = new Map<number, Float64Array>();
  #second = 0;

  charge(unit: number, us: number, nowMs: number): void {
    this.#advance(nowMs);
    let ring = this.#perUnit.get(unit);
    if (ring === undefined) {
      ring = new Float64Array(SECONDS);
      this.#perUnit.set(unit, ring);
    }
    const slot = this.#second % SECONDS;
    ring[slot] = (ring[slot] ?? 0) + us;
  }

  /** Share of the busiest unit over the last minute, percent. */
  percent(nowMs: number): number {
    this.#advance(nowMs);
    let most = 0;
    for (const ring of this.#perUnit.values()) {
      most = Math.max(
        most,
        ring.reduce((sum, us) => sum + us, 0),
      );
    }
    return most / (SECONDS * 10_000);
  }

  #advance(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    const steps = Math.min(SECONDS, second - this.#second);
    for (let step = 0; step < steps; step++) {
      const slot = (second - step) % SECONDS;
      for (const ring of this.#perUnit.values()) ring[slot] = 0;
    }
    this.#second = Math.max(this.#second, second);
  }
}

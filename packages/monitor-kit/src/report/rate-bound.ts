import type { AnomalySeverity } from '@sentinel/contracts/sentinel/v1/anomaly.js';

/** Findings of one kind about the same ranks, none graver than the one before: at least so far apart. */
const SOFT_INTERVAL_MS = 10 * 60_000;
/** Comparisons of bits are evidence each. */
const HARD_INTERVAL_MS = 10_000;

/** Kinds and ranks that are remembered; the oldest are forgotten. */
const MAX_KEYS = 4_096;

/** Events of one class in a minute, of all jobs. */
const PER_MINUTE = 60;
const MINUTE_MS = 60_000;

export type Refusal = 'repeated' | 'too_many';

/** Comparisons of bits, other anomalies, checkpoints for the ledger, and those that are held against it: none takes the room of another. */
export type Class = 'hard' | 'soft' | 'saved' | 'loaded';

/** Keeps a detector, or a job at its end, from flooding the engine. */
export class RateBound {
  readonly #last = new Map<string, { readonly atMs: number; readonly severity: AnomalySeverity }>();
  readonly #tokens = {
    hard: { left: PER_MINUTE, atMs: 0 },
    soft: { left: PER_MINUTE, atMs: 0 },
    saved: { left: PER_MINUTE, atMs: 0 },
    loaded: { left: PER_MINUTE, atMs: 0 },
  };

  /**
   * @param about what the finding is about, without its time
   * @returns null where it may be sent
   */
  refuse(about: string, of: Class, severity: AnomalySeverity, nowMs: number): Refusal | null {
    // One class keeps no other from being told.
    const key = `${of}\0${about}`;
    const last = this.#last.get(key);
    const intervalMs = of === 'hard' ? HARD_INTERVAL_MS : SOFT_INTERVAL_MS;
    if (last !== undefined && nowMs - last.atMs < intervalMs && severity <= last.severity) return 'repeated';
    const tokens = this.#tokens[of];
    tokens.left = Math.min(PER_MINUTE, tokens.left + ((nowMs - tokens.atMs) * PER_MINUTE) / MINUTE_MS);
    tokens.atMs = nowMs;
    if (tokens.left < 1) return 'too_many';
    tokens.left -= 1;
    this.#last.delete(key);
    this.#last.set(key, { atMs: nowMs, severity });
    const [oldest] = this.#last.keys();
    if (this.#last.size > MAX_KEYS && oldest !== undefined) this.#last.delete(oldest);
    return null;
  }
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SentinelError } from '@sentinel/service-kit/errors';
import { writeFileDurably } from '@sentinel/service-kit/files';
import type { Logger } from '@sentinel/service-kit/logging';
import type { Pause } from '../scheduler/pauses.js';

/** What operators ordered through the engine last. */
export interface EngineOrders {
  readonly pauses: readonly Pause[];
  /** Empty = that of the configuration. */
  readonly schedule: { readonly yaml: string; readonly version: string };
}

export const NO_ORDERS: EngineOrders = { pauses: [], schedule: { yaml: '', version: '' } };

/** A pause on disk: JSON has no Infinity, so that one until it is resumed has null. */
type SavedPause = Omit<Pause, 'untilMs'> & { readonly untilMs: number | null };

/**
 * The engine's orders in the node's folder, so that they hold in an agent that restarts while the engine is away. A file that
 * cannot be read or written is said and costs that alone: the engine repeats its orders after every hello.
 */
export class SavedOrders {
  readonly #file: string;
  readonly #log: Logger;
  #text = '';

  constructor(folder: string, log: Logger) {
    this.#file = join(folder, 'orders.json');
    this.#log = log;
  }

  load(): EngineOrders {
    try {
      const text = readFileSync(this.#file, 'utf8');
      const orders = ordersIn(JSON.parse(text));
      this.#text = text;
      return orders;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#warn('forgotten until the next connection', error);
      return NO_ORDERS;
    }
  }

  save({ pauses, schedule }: EngineOrders): void {
    const saved = pauses.map(
      (pause): SavedPause => ({ ...pause, untilMs: Number.isFinite(pause.untilMs) ? pause.untilMs : null }),
    );
    const text = `${JSON.stringify({ pauses: saved, schedule })}\n`;
    if (text === this.#text) return;
    try {
      writeFileDurably(this.#file, text);
      this.#text = text;
    } catch (error) {
      this.#warn('lost at the next restart', error);
    }
  }

  #warn(consequence: string, error: unknown): void {
    const { sentence } = SentinelError.from(error);
    this.#log.warn({ file: this.#file }, `the engine's pauses and schedule are ${consequence}: ${sentence}`);
  }
}

/** @throws SentinelError for what this class did not write */
function ordersIn(value: unknown): EngineOrders {
  const { pauses, schedule } = (value ?? {}) as { readonly pauses?: unknown; readonly schedule?: unknown };
  if (!Array.isArray(pauses) || !pauses.every(isPause) || !isSchedule(schedule))
    throw new SentinelError({ code: 'FAILED_PRECONDITION', message: 'it is no file of orders' });
  return {
    pauses: pauses.map((pause) => ({ ...pause, untilMs: pause.untilMs ?? Number.POSITIVE_INFINITY })),
    schedule,
  };
}

function isPause(value: unknown): value is SavedPause {
  const { deviceId, untilMs, reason } = (value ?? {}) as Record<string, unknown>;
  return typeof deviceId === 'string' && typeof reason === 'string' && (untilMs === null || Number.isFinite(untilMs));
}

function isSchedule(value: unknown): value is EngineOrders['schedule'] {
  const { yaml, version } = (value ?? {}) as Record<string, unknown>;
  return typeof yaml === 'string' && typeof version === 'string';
}

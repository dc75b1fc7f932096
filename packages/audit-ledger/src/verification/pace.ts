/** Keeps a long computation from taking more than its share of a processor. */
import { setTimeout as delay } from 'node:timers/promises';

/** Of one processor, that verifications in the background take at most. */
export const VERIFY_CPU_SHARE = 0.2;
/** Work between two pauses, milliseconds: short, as whoever commits waits for it. */
const WORK_MS = 5;
/** A machine that slept is not made up for. */
const MAX_PAUSE_MS = 1_000;

/** For one piece of work, which begins now: to be awaited often. @param share of the time since its last pause that may be work */
export function pacer(
  share = VERIFY_CPU_SHARE,
  nowMs: () => number = () => performance.now(),
  pause: (ms: number) => Promise<unknown> = delay,
): () => Promise<void> {
  let began = nowMs();
  return async () => {
    const worked = nowMs() - began;
    if (worked < WORK_MS) return;
    await pause(Math.min((worked * (1 - share)) / share, MAX_PAUSE_MS));
    began = nowMs();
  };
}

/** What `/health` of a writer answers. */
import type { Ledger } from './commit/ledger.js';
import { REPAIR_ACTION } from './events.js';
import type { Health } from './rpc/context.js';
import type { Condition } from './verification/condition.js';

/** Entries that are named. */
const SHOWN_DAMAGED = 10;
/** Less is the difference of two clocks, when a log moves to another machine. */
const SHOWN_AHEAD_SECONDS = 60;

/** A damaged log still takes entries: what is new is as good as ever, and losing it would be worse. */
/** @param unguarded why nothing shows whether the log went back in time before this start */
export function healthOf(
  { checkpoint }: Ledger,
  condition: Condition,
  aheadSeconds: number,
  unguarded?: string,
): Health {
  const { atMs, size, damaged } = condition.part;
  const verified = {
    ok: condition.intact,
    lastTime: atMs === 0 ? null : new Date(atMs).toISOString(),
    lastEntries: size,
    damaged: damaged.slice(0, SHOWN_DAMAGED),
    ...(condition.intact ? {} : { action: REPAIR_ACTION }),
  };
  const status = condition.intact ? 'ok' : 'damaged';
  const clock = clockTrouble(aheadSeconds);
  const report = { status, entries: checkpoint.size, verified, clock };
  return { healthy: condition.intact, report: unguarded === undefined ? report : { ...report, unguarded } };
}

function clockTrouble(aheadSeconds: number): string | null {
  if (aheadSeconds < SHOWN_AHEAD_SECONDS) return null;
  return `this machine's clock is ${Math.round(aheadSeconds)} s behind the newest entry, whose time all new ones get until then: set it right`;
}

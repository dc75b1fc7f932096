import type { FamilyName } from '../families.js';
import { nextSlice } from './coverage.js';

/** Load may put a due family off for this long; then it goes first, and into debt if it must. */
export const FLOOR_MS = 15 * 60_000;

/** One family of one line of the schedule file. */
export interface ScheduleEntry {
  readonly probe: string;
  readonly family: FamilyName;
  readonly periodMs: number;
  /** Share of the SMs that one period reaches, 0 < coverage <= 1. */
  readonly coverage: number;
  /** 1 goes first. */
  readonly priority: number;
  readonly timeoutMs: number;
}

export interface ScheduledDevice {
  readonly id: string;
  readonly sms: readonly number[];
}

export interface Due {
  readonly device: ScheduledDevice;
  readonly entry: ScheduleEntry;
  readonly sms: readonly number[];
  readonly overdueMs: number;
}

interface Line {
  readonly device: ScheduledDevice;
  readonly entry: ScheduleEntry;
  readonly offsetMs: number;
  slot: number;
  cursor: number;
  dueSinceMs: number | undefined;
}

/**
 * When each family is due on each device. Periods are aligned to wall time, so that the whole fleet runs one seed; each device has
 * its own offset inside the epoch, so that the fleet's reports do not arrive together. A missed period is made up for once.
 */
export class Timetable {
  readonly #lines: Line[];

  /** `offsetMs` of a device must be the same after every restart and less than an epoch. */
  constructor(
    devices: readonly ScheduledDevice[],
    entries: readonly ScheduleEntry[],
    offsetMs: (deviceId: string) => number,
  ) {
    this.#lines = devices.flatMap((device) =>
      entries.map((entry) => ({
        device,
        entry,
        offsetMs: offsetMs(device.id),
        slot: Number.NaN,
        cursor: 0,
        dueSinceMs: undefined,
      })),
    );
  }

  /**
   * Everything that should run now: what starved beyond the floor first, then by priority, then the longest waiting. A device that
   * may not run now does not wait either: it starves nobody when it may again.
   */
  due(wallMs: number, monoMs: number, mayRun: (device: ScheduledDevice) => boolean = () => true): Due[] {
    const due = this.#lines.flatMap((line) => {
      if (!mayRun(line.device)) {
        line.dueSinceMs = undefined;
        return [];
      }
      if (slotOf(line, wallMs) === line.slot) return [];
      line.dueSinceMs ??= monoMs;
      const { sms } = nextSlice(line.device.sms, line.entry.coverage, line.cursor);
      return [{ device: line.device, entry: line.entry, sms, overdueMs: monoMs - line.dueSinceMs }];
    });
    return due.sort(byUrgency);
  }

  /** Wall time at which the next line falls due, if none is due now. */
  nextDueMs(wallMs: number): number {
    return this.#lines.reduce((soonest, line) => {
      const next = (slotOf(line, wallMs) + 1) * line.entry.periodMs + line.offsetMs;
      return Math.min(soonest, next);
    }, Number.POSITIVE_INFINITY);
  }

  started(due: Due, wallMs: number): void {
    const line = this.#lines.find((candidate) => candidate.device === due.device && candidate.entry === due.entry);
    if (line === undefined) return;
    line.slot = slotOf(line, wallMs);
    line.cursor = nextSlice(line.device.sms, line.entry.coverage, line.cursor).cursor;
    line.dueSinceMs = undefined;
  }
}

function slotOf(line: Line, wallMs: number): number {
  return Math.floor((wallMs - line.offsetMs) / line.entry.periodMs);
}

function byUrgency(a: Due, b: Due): number {
  const starved = Number(b.overdueMs >= FLOOR_MS) - Number(a.overdueMs >= FLOOR_MS);
  return starved || a.entry.priority - b.entry.priority || b.overdueMs - a.overdueMs;
}

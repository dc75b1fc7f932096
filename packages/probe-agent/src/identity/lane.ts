import type { ProbeChild } from '../probe-child/probe-child.js';
import type { TestedDevice } from './tested-device.js';

/** Time that a started child has for its first answers. */
export const START_TIMEOUT_MS = 60_000;

/** A child and the devices whose probes run in it, one at a time. What happens in one lane never delays another. */
export interface Lane {
  readonly child: ProbeChild;
  readonly devices: readonly TestedDevice[];
}

/** What an operator should know about what is tested and what is not. */
export interface Remark {
  /** Empty = of the node. */
  readonly deviceId: string;
  readonly sentence: string;
}

export interface LaneOptions {
  readonly addonFile: string;
  /** Faults of the test build. */
  readonly injections: readonly string[];
  /** Keep ids of devices that are new; a command that only looks does not. */
  readonly save: boolean;
}

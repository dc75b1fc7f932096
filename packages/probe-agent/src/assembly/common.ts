import type { Clock } from '@sentinel/service-kit/clock';
import type { Logger } from '@sentinel/service-kit/logging';
import type { Testbed } from '../identity/testbed.js';
import type { AgentMetrics } from '../observing/metrics.js';
import type { Testable } from '../scheduler/directive-plan.js';
import type { Settings } from '../settings.js';

/** What every part of the daemon is made with. */
export interface Common {
  readonly settings: Settings;
  readonly testbed: Testbed;
  readonly devices: Devices;
  readonly metrics: AgentMetrics;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends the process: a supervisor starts it again from durable state. */
  readonly fatal: (error: unknown) => void;
}

/** The devices of this node. */
export class Devices {
  readonly all: readonly Testable[];

  constructor(all: readonly Testable[]) {
    this.all = all;
  }

  /** SMs of a device in the order of the hello; none for one that is not of this node. */
  readonly smsOf = (id: string): readonly number[] => this.all.find((device) => device.id === id)?.sms ?? [];

  /** Device that an SM belongs to; empty for none. */
  readonly ownerOf = (sm: number): string => this.all.find(({ sms }) => sms.includes(sm))?.id ?? '';
}

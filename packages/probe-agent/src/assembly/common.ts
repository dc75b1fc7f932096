import type { Clock } from '@sentinel/service-kit/clock';
import type { Logger } from '@sentinel/service-kit/logging';
import type { Testbed } from '../identity/testbed.js';
import type { TestedDevice } from '../identity/tested-device.js';
import type { AgentMetrics } from '../observing/metrics.js';
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
  readonly all: readonly TestedDevice[];

  constructor(all: readonly TestedDevice[]) {
    this.all = all;
  }

  get ids(): readonly string[] {
    return this.all.map(({ id }) => id);
  }

  /** @throws RangeError for one that is not of this node */
  readonly get = (id: string): TestedDevice => {
    const device = this.all.find((candidate) => candidate.id === id);
    if (device === undefined) throw new RangeError(`this node has no device ${id}`);
    return device;
  };

  /** SMs of a device in the order of the hello; none for one that is not of this node. */
  readonly smsOf = (id: string): readonly number[] => this.all.find((device) => device.id === id)?.sms ?? [];

  /** CPU device that a logical CPU belongs to; empty for none. */
  readonly ownerOf = (cpu: number): string =>
    this.all.find(({ backend, sms }) => backend === 'cpu' && sms.includes(cpu))?.id ?? '';
}

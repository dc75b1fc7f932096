import { Random } from '../harness/random.js';
import type { DiskName, Fault, LinkName, Planned, StoreName } from './fault.js';

/** What there is to be hurt. */
export interface Inventory {
  readonly replicas: number;
  readonly agents: number;
  readonly stores: readonly StoreName[];
  readonly disks: readonly DiskName[];
}

export interface PlanOptions {
  readonly seed: number;
  readonly faults: number;
  readonly overMs: number;
  readonly outages: number;
}

/** What an outage of half an hour is pressed into. */
const OUTAGE_MS = 8_000;
const OUTAGE_CLOCK_MS = 30 * 60_000;
const LEAST_MS = 300;
const MOST_MS = 6_000;
/** A lease is three seconds: some stops are shorter, most are longer. */
const MOST_STOP_MS = 9_000;
/** Of an agent's clock and of an engine's; those of the outage come on top. */
const MOST_AGENT_JUMP_MS = 600_000;
const MOST_ENGINE_JUMP_MS = 30_000;
const MOST_DELAY_MS = 400;
const LEAST_BYTES_PER_SECOND = 20_000;
const MOST_BYTES_PER_SECOND = 400_000;

/** How often each kind comes, against the others. */
const WEIGHTS = {
  replica: 6,
  link: 7,
  store: 4,
  connections: 3,
  'agent-clock': 2,
  'engine-clock': 1,
  disk: 1,
  ledger: 1,
} as const;
type Group = keyof typeof WEIGHTS;

/** The faults of a storm: the same for the same seed. They are spread over the time with chance, each outage in a slot of its own. */
export function plan(options: PlanOptions, inventory: Inventory): Planned[] {
  const random = new Random(options.seed);
  const draw = new Draw(random, inventory);
  const slot = options.overMs / options.faults;
  const outageEvery = options.outages === 0 ? 0 : Math.floor(options.faults / (options.outages + 1));
  return Array.from({ length: options.faults }, (_, index) => {
    const isOutage =
      outageEvery > 0 && index % outageEvery === outageEvery - 1 && index / outageEvery < options.outages;
    const atMs = Math.round(index * slot + random.next() * slot);
    return { atMs, fault: isOutage ? OUTAGE : draw.next() };
  });
}

const OUTAGE: Fault = { kind: 'outage', target: 'stores', forMs: OUTAGE_MS, clockMs: OUTAGE_CLOCK_MS };

/** Draws one fault after the other. */
class Draw {
  readonly #random: Random;
  readonly #inventory: Inventory;
  readonly #lots: readonly Group[];

  constructor(random: Random, inventory: Inventory) {
    this.#random = random;
    this.#inventory = inventory;
    this.#lots = (Object.keys(WEIGHTS) as Group[])
      .filter((group) => group !== 'disk' || inventory.disks.length > 0)
      .flatMap((group) => Array.from({ length: WEIGHTS[group] }, () => group));
  }

  next(): Fault {
    const random = this.#random;
    const replica = `replica-${random.between(0, this.#inventory.replicas - 1)}` as const;
    switch (random.pick(this.#lots)) {
      case 'replica':
        return this.#replica(replica);
      case 'link':
        return this.#link();
      case 'store':
        return { kind: random.pick(['crash', 'freeze']), target: this.#store(), forMs: this.#forMs() };
      case 'connections':
        return { kind: 'end-connections', target: 'postgres', share: random.between(2, 10) / 10 };
      case 'agent-clock':
        return { kind: 'agent-clock', target: this.#agent(), jumpMs: this.#jump(MOST_AGENT_JUMP_MS) };
      case 'engine-clock':
        return { kind: 'engine-clock', target: replica, jumpMs: this.#jump(MOST_ENGINE_JUMP_MS) };
      case 'disk':
        return { kind: 'disk-full', target: random.pick(this.#inventory.disks), forMs: this.#forMs() };
      case 'ledger':
        return { kind: 'lost-answers', target: 'ledger', count: random.between(1, 3) };
    }
  }

  #replica(target: `replica-${number}`): Fault {
    const kind = this.#random.pick(['kill', 'stop', 'end'] as const);
    return { kind, target, forMs: this.#random.between(LEAST_MS, kind === 'stop' ? MOST_STOP_MS : MOST_MS) };
  }

  #link(): Fault {
    const random = this.#random;
    const side = random.pick(['agents', 'replicas', ...this.#inventory.stores] as const);
    const target: LinkName = `${side}:${random.between(0, this.#inventory.replicas - 1)}`;
    const kind = random.pick(['cut', 'refuse', 'stall', 'deaf', 'mute', 'slow', 'narrow'] as const);
    switch (kind) {
      case 'cut':
        return { kind, target };
      case 'slow':
        return { kind, target, forMs: this.#forMs(), delayMs: random.between(5, MOST_DELAY_MS) };
      case 'narrow': {
        const bytesPerSecond = random.between(LEAST_BYTES_PER_SECOND, MOST_BYTES_PER_SECOND);
        return { kind, target, forMs: this.#forMs(), bytesPerSecond };
      }
      default:
        return { kind, target, forMs: this.#forMs() };
    }
  }

  #store(): StoreName {
    return this.#random.pick(this.#inventory.stores);
  }

  #agent(): `agent-${number}` {
    return `agent-${this.#random.between(0, this.#inventory.agents - 1)}`;
  }

  #forMs(): number {
    return this.#random.between(LEAST_MS, MOST_MS);
  }

  #jump(mostMs: number): number {
    return this.#random.between(-mostMs, mostMs);
  }
}

/** What can be done to a running installation. `forMs` passes before it is undone. */
export type Fault =
  | { readonly kind: 'kill' | 'stop' | 'end'; readonly target: `replica-${number}`; readonly forMs: number }
  | { readonly kind: 'engine-clock'; readonly target: `replica-${number}`; readonly jumpMs: number }
  | { readonly kind: 'agent-clock'; readonly target: `agent-${number}`; readonly jumpMs: number }
  | { readonly kind: 'crash' | 'freeze'; readonly target: StoreName; readonly forMs: number }
  /** Connections of PostgreSQL, each with this probability. */
  | { readonly kind: 'end-connections'; readonly target: 'postgres'; readonly share: number }
  | { readonly kind: 'cut'; readonly target: LinkName }
  | { readonly kind: 'refuse' | 'stall' | 'deaf' | 'mute'; readonly target: LinkName; readonly forMs: number }
  | { readonly kind: 'slow'; readonly target: LinkName; readonly forMs: number; readonly delayMs: number }
  | { readonly kind: 'narrow'; readonly target: LinkName; readonly forMs: number; readonly bytesPerSecond: number }
  | { readonly kind: 'disk-full'; readonly target: DiskName; readonly forMs: number }
  /** The ledger takes events and its answers are lost. */
  | { readonly kind: 'lost-answers'; readonly target: 'ledger'; readonly count: number }
  /** Every store is away, and all clocks move on by `clockMs` meanwhile, in which agents record. */
  | { readonly kind: 'outage'; readonly target: 'stores'; readonly forMs: number; readonly clockMs: number };

export type StoreName = 'postgres' | 'redis' | 'cassandra';
export type DiskName = 'postgres-disk' | 'history-disk';
/** What connects replica N: with its agents, with the other replicas, with each store. */
export type LinkName = `${'agents' | 'replicas' | StoreName}:${number}`;

export interface Planned {
  /** Since the storm began. */
  readonly atMs: number;
  readonly fault: Fault;
}

/** One line of the timeline. */
export function sentence({ kind, target, ...amounts }: Fault): string {
  const numbers = Object.entries(amounts).map(([name, value]) => `${name} ${value}`);
  return [`${kind} ${target}`, ...numbers].join(', ');
}

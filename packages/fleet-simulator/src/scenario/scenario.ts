/** A fleet, what goes wrong in it and what operators do: all that a simulation depends on besides its seed. Times are hours after the warm-up. */
export interface Scenario {
  readonly name: string;
  readonly description: string;
  /** Simulated after the warm-up. */
  readonly hours: number;
  /** Clean history before time 0. */
  readonly warmupHours: number;
  readonly fleet: FleetSpec;
  readonly environment: EnvironmentSpec;
  readonly limits: Limits;
  /** Settings of `correlation_engine` that differ from the defaults, by dotted key. */
  readonly engine: Readonly<Record<string, string | number | boolean>>;
  /** Wrong results of healthy units, per execution. */
  readonly transientRate: number;
  /** Anomalies that monitors of jobs report for nothing, per GPU and day. */
  readonly anomaliesPerDay: number;
  readonly faults: readonly Fault[];
  readonly events: readonly PlannedEvent[];
}

export interface FleetSpec {
  readonly gpus: number;
  readonly gpusPerNode: number;
  readonly sms: number;
  /** one_per_type: seven families, one of each type of the schedule; all: every GPU family. */
  readonly families: 'one_per_type' | 'all';
  /** File of config/probe_schedules, without its ending, or a path. */
  readonly schedule: string;
  /** Every family of the schedule runs so often instead; null = as the schedule says. */
  readonly cadenceSeconds: number | null;
  readonly model: string;
  readonly driver: string;
  /** All SMs passed the committed known answers at the agents' start. */
  readonly selfTested: boolean;
  /** Clocks of nodes are off by up to so much, either way. */
  readonly clockSkewSeconds: number;
  /** Clean executions per second and unit in a deep test. */
  readonly deepTestPerSecond: number;
}

/**
 * Where everything fails, a few failures tell what millions would, and take no days to simulate. What is cut off is counted as
 * left out; it is never taken for clean.
 */
export interface Limits {
  /** Failing scheduled runs that a GPU reports within `perHours`. */
  readonly failingRuns: number;
  readonly perHours: number;
  /** Failing executions in answer to one directive. */
  readonly failuresPerDirective: number;
}

/** GPU temperature over the day: `coolC`, and `hotC` from hour `hotFrom` to hour `hotUntil`. */
export interface EnvironmentSpec {
  readonly coolC: number;
  readonly hotC: number;
  readonly hotFrom: number;
  readonly hotUntil: number;
}

/**
 * unit: one family on one SM. sm: all families of one SM. gpu: all SMs. node: all GPUs of a node. software: GPUs anywhere that
 * run a wrong program or compare with a wrong golden. It decides what is right: hardware is to be quarantined, a node to be cordoned, software to be held.
 */
export type FaultKind = 'unit' | 'sm' | 'gpu' | 'node' | 'software';

export interface Fault {
  readonly name: string;
  readonly kind: FaultKind;
  /** First GPU or node concerned, by index; null = drawn. */
  readonly gpu: number | null;
  readonly node: number | null;
  readonly sm: number | null;
  /** GPUs (unit, sm, gpu) or nodes (node) concerned; of software only where `node` names the first one. */
  readonly count: number;
  /** Software: share of the GPUs concerned, drawn. */
  readonly fraction: number;
  /** A family's name, or all. */
  readonly family: string;
  /** Probability that an execution goes wrong. */
  readonly rate: number;
  readonly startHours: number;
  /** Onsets are spread evenly over so long; of software node by node. */
  readonly spreadHours: number;
  /** Software: so many nodes come first, one every `canaryHours`. */
  readonly canaryNodes: number;
  readonly canaryHours: number;
  /** Software: each GPU begins to fail in its own time, within `spreadHours`, as by an overflow of its uptime. */
  readonly creeping: boolean;
  /** From onset on the rate rises linearly over so long. */
  readonly rampHours: number;
  /** Repaired then; null = never. */
  readonly stopHours: number | null;
  /** own: wrong results differ each time; shared: all that fail a seed give the same wrong digest. */
  readonly digest: 'own' | 'shared';
  /** damaged: the agent's golden is spoiled, which it notices and says with the mismatch. */
  readonly golden: 'intact' | 'damaged';
  /** The rate is multiplied by exp(heat (T - heatReference)), at most to 1. */
  readonly heat: number;
  readonly heatReference: number;
  /** Acts in the first so many minutes of each hour only; 60 = always. */
  readonly minutesPerHour: number;
  /** Acts from hour to hour of the day only. */
  readonly fromHour: number;
  readonly untilHour: number;
  /** Gilbert-Elliott: acts in bad states only, that begin and end at these rates per hour; 0 = always acts. */
  readonly burstsPerHour: number;
  readonly burstEndsPerHour: number;
  /** The nodes concerned say hello with another driver at their onset, as after an update. */
  readonly visible: boolean;
}

export interface PlannedEvent {
  readonly atHours: number;
  readonly what:
    | 'agent_loss'
    | 'store_outage'
    | 'quarantine'
    | 'reinstate'
    | 'deep_test'
    | 'condemn'
    | 'release_incidents'
    | 'confirm_incidents'
    | 'repair'
    | 'new_build'
    | 'driver_update'
    | 'lose_in_job';
  /** GPU concerned, by index. */
  readonly gpu: number;
  /** First node concerned and how many. */
  readonly node: number;
  readonly nodes: number;
  /** How long an agent or the store is away. */
  readonly hours: number;
}

/** Is this fault one that calls for the quarantine of its GPU? */
export function isHardware({ kind }: Pick<Fault, 'kind'>): boolean {
  return kind === 'unit' || kind === 'sm' || kind === 'gpu';
}

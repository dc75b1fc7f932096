/** Devices of one cohort whose nodes computed the same golden for one seed. */
interface GoldenClass {
  digest: number;
  members: number;
  /** The first ones, each once. Replaced, never changed in place. */
  nodes: readonly string[];
}

/** What a cohort has reported for one epoch of its shared seed. */
interface GoldenSeed {
  epoch: number;
  classes: GoldenClass[];
  /** Members beyond the classes that are told apart. */
  others: number;
}

/**
 * Agreement classes of goldens, by cohort, for the newest shared seeds. Kept in memory alone: after a restart comparison begins
 * anew, which a record of the log says, so that a replay forgets at the same place.
 */
export type GoldenIndex = Map<string, readonly GoldenSeed[]>;

/** Seeds of a cohort that are compared: later reports of older ones are not. */
export const MAX_SEEDS = 8;
/** Different goldens of one seed that are told apart; nodes of a class that are known by name. */
const MAX_CLASSES = 4;
const MAX_NODES = 16;
/** Cohorts that are compared. */
export const MAX_COHORTS = 4096;
/** A majority: so many devices, on so many nodes, and more than all others together. */
const MAJORITY = { members: 3, nodes: 2 };

/** How the golden of a report compares. */
export interface Compared {
  /** Nodes that are in the minority: that of the report, or others that had reported before there was a majority. */
  outvoted: readonly string[];
  /** The report is of the majority. */
  agrees: boolean;
}

const NOTHING: Compared = { outvoted: [], agrees: false };
/** Not compared, because too many cohorts are. */
export const NO_ROOM: Compared = { outvoted: [], agrees: false };
const AGREES: Compared = { outvoted: [], agrees: true };

/** Additions of one transaction over an untouched index. */
export class GoldenDraft {
  readonly #base: GoldenIndex;
  readonly #own = new Map<string, Map<number, GoldenSeed>>();
  #forgotten = false;

  constructor(base: GoldenIndex) {
    this.#base = base;
  }

  /** What was kept in memory alone is gone. */
  forget(): void {
    this.#own.clear();
    this.#forgotten = true;
  }

  /** Takes the golden that one device reports for the shared seed of an epoch. O(1). */
  take(cohort: string, epoch: number, digest: number, node: string): Compared {
    const seed = this.#seed(cohort, epoch);
    if (seed === undefined) return NOTHING;
    if (seed === null) return NO_ROOM;
    const [only] = seed.classes;
    if (seed.classes.length === 1 && only?.digest === digest) {
      // What nearly every report is.
      addMember(only, node);
      return isMajority(only) ? AGREES : NOTHING;
    }
    const majorityBefore = majorityOf(seed);
    join(seed, digest, node);
    const majority = majorityOf(seed);
    if (majority === undefined) return NOTHING;
    if (majority === majorityBefore) return majority.digest === digest ? AGREES : { outvoted: [node], agrees: false };
    const minority = seed.classes.filter((entry) => entry !== majority);
    return { outvoted: minority.flatMap(({ nodes }) => nodes), agrees: majority.digest === digest };
  }

  /** The seed as this draft may change it; undefined = too old, null = one cohort too many. */
  #seed(cohort: string, epoch: number): GoldenSeed | undefined | null {
    let seeds = this.#own.get(cohort);
    const own = seeds?.get(epoch);
    if (own !== undefined) return own;
    const base = this.#forgotten ? undefined : this.#base.get(cohort);
    if (base === undefined && seeds === undefined && this.#base.size + this.#own.size >= MAX_COHORTS) return null;
    const before = base?.find((entry) => entry.epoch === epoch);
    if (before === undefined && base !== undefined && base.length >= MAX_SEEDS && epoch < (base[0]?.epoch ?? 0))
      return undefined;
    if (seeds === undefined) {
      seeds = new Map();
      this.#own.set(cohort, seeds);
    }
    const seed =
      before === undefined
        ? { epoch, classes: [], others: 0 }
        : { ...before, classes: before.classes.map((entry) => ({ ...entry })) };
    seeds.set(epoch, seed);
    return seed;
  }

  /** Once the transaction is committed. */
  install(): void {
    if (this.#forgotten) this.#base.clear();
    for (const [cohort, own] of this.#own) {
      const kept = (this.#base.get(cohort) ?? []).filter(({ epoch }) => !own.has(epoch));
      const seeds = [...kept, ...own.values()].sort((a, b) => a.epoch - b.epoch);
      this.#base.set(cohort, seeds.slice(-MAX_SEEDS));
    }
  }
}

function join(seed: GoldenSeed, digest: number, node: string): void {
  const known = seed.classes.find((entry) => entry.digest === digest);
  if (known === undefined) {
    if (seed.classes.length < MAX_CLASSES) seed.classes.push({ digest, members: 1, nodes: [node] });
    else seed.others += 1;
    return;
  }
  addMember(known, node);
}

function addMember(known: GoldenClass, node: string): void {
  known.members += 1;
  if (known.nodes.length < MAX_NODES && !known.nodes.includes(node)) known.nodes = [...known.nodes, node];
}

function isMajority({ members, nodes }: GoldenClass): boolean {
  return members >= MAJORITY.members && nodes.length >= MAJORITY.nodes;
}

function majorityOf({ classes, others }: GoldenSeed): GoldenClass | undefined {
  let all = others;
  let most: GoldenClass | undefined;
  for (const entry of classes) {
    all += entry.members;
    if (most === undefined || entry.members > most.members) most = entry;
  }
  return most !== undefined && isMajority(most) && 2 * most.members > all ? most : undefined;
}

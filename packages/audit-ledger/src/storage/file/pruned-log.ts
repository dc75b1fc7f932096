/** What was pruned of a folder, and what was kept of it; prunings replace it while it is read. */
import type { Pruned } from '../../retention/pruning.js';
import { TamperedStoreError } from '../errors.js';
import { MalformedHeadError } from '../head.js';
import type { Disk } from './disk.js';
import { isErrno } from './errno.js';
import { KeptItems } from './kept-items.js';
import type { Layout } from './layout.js';
import { type PrunedState, readPruned, UNPRUNED } from './pruned-file.js';
import { salvagePruned, wasPruned } from './salvage-pruned.js';

export class PrunedLog {
  state: PrunedState;
  keptLeaves: KeptItems;
  keptDetails: KeptItems;
  /** The file that says so is damaged or gone: the entries that announced it are not known from it. */
  readonly salvaged: boolean;

  private constructor(state: PrunedState, keptLeaves: KeptItems, keptDetails: KeptItems, salvaged = false) {
    this.salvaged = salvaged;
    this.state = state;
    this.keptLeaves = keptLeaves;
    this.keptDetails = keptDetails;
  }

  /** @throws TamperedStoreError */
  static async open(layout: Layout, disk?: Disk): Promise<PrunedLog> {
    const state = await readPruned(layout, disk);
    const keptLeaves = await KeptItems.open(layout.kept, state.keptLeaves, disk);
    return new PrunedLog(state, keptLeaves, await KeptItems.open(layout.kept, state.keptDetails, disk));
  }

  /** Goes on without what is damaged, for whoever looks for damage. */
  static async openDamaged(layout: Layout, blame: (what: string) => void): Promise<PrunedLog> {
    const read = await orBlamed(readPruned(layout), undefined, blame);
    const gone = read === UNPRUNED && (await wasPruned(layout));
    if (gone) blame(`${layout.pruned} is missing`);
    const salvaged = read === undefined || gone;
    const state = salvaged ? await salvagePruned(layout) : read;
    const kept = async (names: readonly string[]): Promise<KeptItems> => {
      const none = await KeptItems.open(layout.kept, []);
      return await orBlamed(KeptItems.open(layout.kept, names), none, blame);
    };
    return new PrunedLog(state, await kept(state.keptLeaves), await kept(state.keptDetails), salvaged);
  }

  /** For who reads beside a writer. */
  async refreshIfChanged(layout: Layout): Promise<void> {
    const now = await readPruned(layout);
    if (JSON.stringify(now) !== JSON.stringify(this.state)) await this.refresh(layout);
  }

  /** Takes over what the folder says now. */
  async refresh(layout: Layout, disk?: Disk): Promise<void> {
    const now = await PrunedLog.open(layout, disk);
    this.state = now.state;
    this.keptLeaves = now.keptLeaves;
    this.keptDetails = now.keptDetails;
  }
}

export function prunedOf(log: PrunedLog | undefined): Pruned {
  const { leaves, details, prunings } = log?.state ?? UNPRUNED;
  return { leaves: leaves.end, details: details.end, prunings };
}

async function orBlamed<T>(opening: Promise<T>, otherwise: T, blame: (what: string) => void): Promise<T> {
  return await opening.catch((error: unknown) => {
    const damaged =
      error instanceof TamperedStoreError || error instanceof MalformedHeadError || isErrno(error, 'ENOENT');
    if (!damaged) throw error;
    blame((error as Error).message);
    return otherwise;
  });
}

/**
 * How far a folder was pruned where the file that says so is damaged or gone: the names of what was kept say it too, and the commit
 * table where the records behind begin.
 */
import { readdir } from 'node:fs/promises';
import { CommitTable } from './commit-table.js';
import { orUndefined } from './errno.js';
import { FrameFiles } from './frame-files.js';
import type { Layout } from './layout.js';
import { LOG_START, type PrunedPlace, type PrunedState, UNPRUNED } from './pruned-file.js';

const KEPT_NAME = /^(leaves|details)-\d{16}-(\d{16})$/;

/** The entries that announced it are not among what is found. */
export async function salvagePruned({ kept, commits }: Layout): Promise<PrunedState> {
  const table = await CommitTable.openReadOnly(commits);
  const names = ((await orUndefined(readdir(kept))) ?? []).filter((name) => KEPT_NAME.test(name)).toSorted();
  const of = (what: string): string[] => names.filter((name) => name.startsWith(`${what}-`));
  const [keptLeaves, keptDetails] = [of('leaves'), of('details')];
  try {
    const leaves = await placeOf(endOf(keptLeaves), table);
    const details = await placeOf(endOf(keptDetails), table);
    return { leaves, details, keptLeaves, keptDetails, prunings: [] };
  } finally {
    await table?.close();
  }
}

/** Whether a folder without the file was pruned: something was kept, and the first record is not there. */
export async function wasPruned({ kept, details }: Layout): Promise<boolean> {
  if (!((await orUndefined(readdir(kept))) ?? []).some((name) => KEPT_NAME.test(name))) return false;
  return await new FrameFiles(details).readAt(LOG_START).then(
    () => false,
    () => true,
  );
}

function endOf(names: readonly string[]): number {
  return Math.max(0, ...names.map((name) => Number(KEPT_NAME.exec(name)?.[2] ?? 0)));
}

async function placeOf(end: number, table: CommitTable | undefined): Promise<PrunedPlace> {
  if (end === 0 || table === undefined || table.count === 0) return UNPRUNED.leaves;
  const commit = await table.find(end);
  const row = await table.row(commit);
  return row === undefined ? UNPRUNED.leaves : { ...row, commit, end };
}

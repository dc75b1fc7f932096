/** Where things lie in the folder of a log. */
import { join } from 'node:path';

export interface Layout {
  readonly root: string;
  readonly entries: string;
  readonly details: string;
  readonly heads: string;
  /** Derived from the entries, like the two after it. */
  readonly hashes: string;
  readonly index: string;
  readonly commits: string;
  /** How far the log was pruned. */
  readonly pruned: string;
  /** What prunings kept. */
  readonly kept: string;
  /** Newest signed checkpoint. */
  readonly checkpoint: string;
  /** The same beside the folder, so that a folder restored from a copy is found to have gone back in time. */
  readonly guard: string;
}

export function layoutOf(root: string): Layout {
  const at = (name: string): string => join(root, name);
  return {
    root,
    entries: at('entries'),
    details: at('details'),
    heads: at('head'),
    hashes: at('hashes'),
    index: at('index'),
    commits: at('commits'),
    pruned: at('pruned'),
    kept: at('kept'),
    checkpoint: at('checkpoint'),
    guard: `${root.replace(/\/+$/, '')}.guard`,
  };
}

/** A segment file is finished once it has this size. */
export const SEGMENT_BYTES = 64 * 2 ** 20;
/** More than a group commit can make: entries of 8,192 x 700 bytes, details of 16 MiB and their frames. */
export const MAX_RECORD_BYTES = 96 * 2 ** 20;

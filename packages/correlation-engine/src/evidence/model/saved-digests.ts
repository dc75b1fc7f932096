/** What a job was seen to save on one node, as far as what is loaded later can be held against it. Bounded; replaced as a whole. */
export interface SavedDigests {
  readonly job: string;
  readonly node: string;
  /** When the newest of them was told. */
  readonly newestUs: number;
  /** The newest first. */
  readonly parts: readonly SavedDigest[];
}

export interface SavedDigest {
  /** What the digest is of: all digests of one subject must be equal. Both in lower-case hex. */
  readonly subject: string;
  readonly digest: string;
  /** Who saved it, and when in its job. */
  readonly rank: number;
  readonly step: number;
}

export function rowKey({ job, node }: Pick<SavedDigests, 'job' | 'node'>): string {
  return `${node}\n${job}`;
}

/** Keys of the rows that have digests of a subject. */
export type SubjectIndex = Map<string, Set<string>>;

export function indexSubjects(index: SubjectIndex, row: SavedDigests): void {
  for (const { subject } of row.parts) {
    const keys = index.get(subject);
    if (keys === undefined) index.set(subject, new Set([rowKey(row)]));
    else keys.add(rowKey(row));
  }
}

export function unindexSubjects(index: SubjectIndex, row: SavedDigests): void {
  for (const { subject } of row.parts) {
    const keys = index.get(subject);
    keys?.delete(rowKey(row));
    if (keys?.size === 0) index.delete(subject);
  }
}

/** This replica, as it tells others. */
export interface About {
  readonly replica: string;
  readonly node: string;
  /** By worker. */
  readonly gpus: readonly string[];
  readonly model: string;
  /** Lower-case hexadecimal digits; '' = comparable with nobody. */
  readonly configHash: string;
  /** The same of what the server alone tells; equal to `configHash` where no library is in it. */
  readonly serverHash: string;
  /** Shown to answer alike whatever shares the batch: to canaries, and to requests computed again. */
  readonly repeatable: { readonly canary: boolean; readonly replay: boolean };
  readonly contradictions: number;
  /** When its server was last seen to start, or to load a model anew, microseconds since the Unix epoch. */
  readonly sinceUs: number;
  /** Of the newest checksums of all workers, lower-case hexadecimal digits; '' = there are none. */
  readonly weights: string;
}

/** What one that is asked says to a question that it could answer, but not comparably. */
export const NOT_COMPARABLE = 'this replica has another configuration or model';

/** A kind of server that tests need for real, such as PostgreSQL. */
export interface ServerKind {
  /** Environment variable with the URL of a server that is there already. */
  readonly variable: string;
  /**
   * Starts a server of our own on a free loopback port; everything of it lies below `folder`, which exists and is empty.
   * @throws Error that says what this machine lacks
   */
  start(folder: string): Promise<StartedServer>;
}

export interface StartedServer {
  readonly url: string;
  /** Ends it; its folder may be removed afterwards. */
  stop(): Promise<void>;
}

/** A server that answers, or why this machine has none. */
export type Answer = { readonly url: string } | { readonly missing: string };

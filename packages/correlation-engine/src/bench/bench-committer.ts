import { Committer } from '../commit/committer.js';
import type { CoreConfig } from '../core.js';
import type { StateStore } from '../store/state-store.js';

/** A committer for benchmarks: whatever goes wrong ends the run. */
export function benchCommitter(
  store: StateStore,
  clock: ConstructorParameters<typeof Committer>[1],
  config: CoreConfig,
): Committer {
  const failed = (error: unknown): never => {
    throw error;
  };
  const events = {
    committed: () => {},
    refused: (_: unknown, error: unknown) => failed(error),
    storeChanged: (error: unknown) => error === null || failed(error),
    fatal: failed,
  };
  return new Committer(store, clock, config, events, () => []);
}

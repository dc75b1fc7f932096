import type { Fault } from './fault.js';

const STORES = ['postgres', 'redis', 'cassandra'];

/** What a fault has to itself while it lasts. */
export function held({ target }: Fault): readonly string[] {
  if (target === 'stores') return [...STORES, 'postgres-disk', 'history-disk'];
  if (target === 'postgres-disk') return ['postgres', target];
  return [target];
}

/** Work on the same things happens one after the other, in the order in which it was given. */
export class Locks {
  readonly #tails = new Map<string, Promise<unknown>>();

  run(names: readonly string[], work: () => Promise<void>): Promise<void> {
    const before = names.flatMap((name) => this.#tails.get(name) ?? []);
    const done = Promise.allSettled(before).then(work);
    for (const name of names) this.#tails.set(name, done);
    return done;
  }
}

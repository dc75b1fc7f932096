import type { Bus } from '../bus.js';
import type { CacheSource } from '../state-cache.js';

/** A committed state that tests change as transactions do. */
export class FleetSource implements CacheSource {
  readonly devices = new Map<string, number>();
  #commitSeq = 0;

  /** One transaction; the ids that changed. */
  commit(ids: readonly string[], gone: readonly string[] = []): string[] {
    this.#commitSeq += 1;
    for (const id of ids) this.devices.set(id, this.#commitSeq);
    for (const id of gone) this.devices.delete(id);
    return [...ids, ...gone];
  }

  commitSeq(): number {
    return this.#commitSeq;
  }

  ids(): Iterable<string> {
    return this.devices.keys();
  }

  has(id: string): boolean {
    return this.devices.has(id);
  }

  json(id: string): string | null {
    const at = this.devices.get(id);
    return at === undefined ? null : JSON.stringify({ gpu: id, at });
  }

  /** What the bus should have. */
  expected(): Record<string, string> {
    return Object.fromEntries([...this.devices.keys()].sort().map((id) => [id, this.json(id) ?? '']));
  }
}

/** Everything that a bus has cached. */
export async function cachedBy(bus: Bus): Promise<Record<string, string>> {
  const ids = new Set<string>();
  for await (const some of bus.ids()) for (const id of some) ids.add(id);
  const found = await bus.get([...ids]);
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

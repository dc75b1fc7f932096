import { eventually, type TestDatabase, testDatabase } from '@sentinel/test-kit';
import type { EngineOptions } from '../build.js';
import { TestEngine } from './engine.js';

/** Replicas of one engine in this process: one real PostgreSQL, one folder of history, real ports. */
export class Replicas {
  readonly all: TestEngine[] = [];
  readonly #database: TestDatabase;
  readonly #settings: Record<string, unknown>;

  private constructor(database: TestDatabase, settings: Record<string, unknown>) {
    this.#database = database;
    this.#settings = settings;
  }

  /** Starts them one after the other: the first one decides. */
  static async start(count: number, settings: Record<string, unknown> = {}): Promise<Replicas> {
    const replicas = new Replicas(await testDatabase(), settings);
    try {
      for (let i = 0; i < count; i += 1) await replicas.add();
      return replicas;
    } catch (error) {
      await replicas.remove();
      throw error;
    }
  }

  /** Of the database. */
  get url(): string {
    return this.#database.url;
  }

  get first(): TestEngine {
    const [first] = this.all;
    if (first === undefined) throw new Error('no replica');
    return first;
  }

  /** The one that the database names. */
  async leader(): Promise<TestEngine> {
    const [row] = await this.first.sql<{ holder: string }>('select holder from leader');
    const leader = this.all.find(({ lines }) =>
      lines.some(({ message, replica }) => message === 'this replica decides' && replica === row?.holder),
    );
    if (leader === undefined) throw new Error(`no replica is ${row?.holder}`);
    return leader;
  }

  /** @param more settings of this replica alone */
  async add(more: Record<string, unknown> = {}, options: Partial<EngineOptions> = {}): Promise<TestEngine> {
    const [first] = this.all;
    const engine: TestEngine = new TestEngine({
      database: { postgres_url: this.#database.url, sslmode: 'disable' },
      redis: { url: 'redis://127.0.0.1:1' },
      replica: { listen_address: '127.0.0.1:0' },
      ...(first === undefined ? {} : { history: { url: `file://${first.folder}/history` } }),
      ...this.#settings,
      ...more,
    });
    this.all.push(engine);
    await engine.start(options);
    if (first === undefined) await decides(engine);
    await serves(engine);
    return engine;
  }

  async remove(): Promise<void> {
    for (const engine of this.all.toReversed()) await engine.remove();
    await this.#database.drop();
  }
}

/** Waits until this replica decides or reaches the one that does. */
export function serves(engine: TestEngine): Promise<unknown> {
  const serving = async (): Promise<boolean> => (await engine.metric('sentinel_replica_serving')) === 1;
  return eventually(serving, { what: 'the replica serves' });
}

/** Waits until this replica says for the `times`th time that it decides. */
export function decides(engine: TestEngine, times = 1): Promise<unknown> {
  const said = (): boolean => engine.lines.filter(({ message }) => message === 'this replica decides').length >= times;
  return eventually(said, { what: 'the replica decides' });
}

import { Client, type ClientOptions } from 'cassandra-driver';

/**
 * A client that leaves nothing open once `closeCql` has ended it. The driver (4.10) by itself goes on for ever
 * - with a host that it replaced by another of the same address, which it does whenever no node could be reached for a while,
 * - with what a search for a node finds that was under way when it was shut down: the host is new, and nobody shuts it down,
 * - with connections that it opened during such a search and that were of no use.
 * And each time it has found a node again it starts twice as many searches at the next outage.
 */
export function clientOf(options: ClientOptions): Client {
  const client = new Client(options);
  // Not drained first: a pool that was drained is opened again.
  client.on('hostRemove', (host: Host) => void host.shutdown(false));
  SEARCHES.set(client, new Search((client as unknown as { controlConnection: ControlConnection }).controlConnection));
  return client;
}

/** Ends all that a client of `clientOf` has open. While a node hangs that takes as long as connecting to it may. */
export async function closeCql(client: Client): Promise<void> {
  const search = SEARCHES.get(client);
  await search?.end();
  await client.shutdown();
  await search?.close();
}

const SEARCHES = new WeakMap<Client, Search>();

/** The driver's search for a node to learn the cluster from: one at a time, and none once it was ended. */
class Search {
  readonly #control: ControlConnection;
  #underWay: Promise<void> | null = null;
  #opened: Connection | null = null;
  #ended = false;

  constructor(control: ControlConnection) {
    this.#control = control;
    const refresh = control._refresh.bind(control);
    control._refresh = async (hosts) => {
      if (this.#ended) return;
      // It calls itself for the next of the hosts.
      if (hosts !== undefined) return await refresh(hosts);
      this.#underWay ??= refresh().finally(() => {
        this.#underWay = null;
      });
      await this.#underWay;
    };
    const create = control._createConnection.bind(control);
    control._createConnection = async (point) => {
      // Another one is only opened where this one was of no use.
      void this.#opened?.closeAsync();
      this.#opened = null;
      this.#opened = await create(point);
      return this.#opened;
    };
  }

  /** Waits for the one that is under way; the driver cannot be told to give it up. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#underWay;
  }

  /** Where `connect` failed the driver shuts none of this down. */
  async close(): Promise<void> {
    this.#control.shutdown();
    await this.#opened?.closeAsync();
  }
}

// What is used of the driver's inside.

interface Host {
  shutdown(drain: boolean): Promise<void>;
}

interface Connection {
  closeAsync(): Promise<void>;
}

interface ControlConnection {
  _createConnection(contactPoint: string): Promise<Connection>;
  _refresh(hosts?: Iterator<Host>): Promise<void>;
  shutdown(): void;
}

import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type ClientDuplexStream, connectivityState, type Deadline, type Metadata } from '@grpc/grpc-js';
import { type ClientConnection, createClient } from '@sentinel/service-kit/grpc-client';

/** Connections to the leader. Each carries thousands of streams; a lost packet holds up a quarter of them. */
const CONNECTIONS = 4;
/** A stream of answers that nobody reads holds so much at most on its way, and holds up no other. */
const FLOW_CONTROL_WINDOW = 256 * 1024;

/** A connection on which nothing comes back is ended after the sum, with its calls: whoever made them goes elsewhere. */
const KEEPALIVE_MS = 2_000;
const KEEPALIVE_TIMEOUT_MS = 3_000;

export type RawStream = ClientDuplexStream<Buffer, Buffer>;

const asIs = (bytes: Buffer): Buffer => bytes;

/** The way to one leader: any method, as bytes. */
export class Link {
  readonly address: string;
  readonly #clients: readonly Client[];
  #next = 0;
  #closed = false;

  constructor(connection: ClientConnection) {
    this.address = connection.address;
    const options = {
      'grpc-node.flow_control_window': FLOW_CONTROL_WINDOW,
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    };
    this.#clients = Array.from({ length: CONNECTIONS }, () => createClient(Client, connection, options));
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves after so long, or at once when the connection is lost. */
  async pause(ms: number): Promise<void> {
    const channel = this.#clients[0]?.getChannel();
    const { READY } = connectivityState;
    if (channel?.getConnectivityState(true) !== READY) await sleep(ms, undefined, { ref: false });
    else await new Promise<unknown>((resolve) => channel.watchConnectivityState(READY, Date.now() + ms, resolve));
  }

  open(path: string, metadata: Metadata, deadline: Deadline): RawStream {
    const client = this.#clients[this.#next % CONNECTIONS] as Client;
    this.#next += 1;
    return client.makeBidiStreamRequest(path, asIs, asIs, metadata, { deadline });
  }

  /** Calls under way end. */
  close(): void {
    this.#closed = true;
    for (const client of this.#clients) client.close();
  }
}

import { Client, type ClientDuplexStream, connectivityState, type Deadline, type Metadata } from '@grpc/grpc-js';
import { type ClientConnection, createClient } from '@sentinel/service-kit/grpc-client';

/** Connections to the leader. Each carries thousands of streams; a lost packet holds up a quarter of them. */
const CONNECTIONS = 4;
/** A stream of answers that nobody reads holds so much at most on its way, and holds up no other. */
const FLOW_CONTROL_WINDOW = 256 * 1024;

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
    const options = { 'grpc-node.flow_control_window': FLOW_CONTROL_WINDOW };
    this.#clients = Array.from({ length: CONNECTIONS }, () => createClient(Client, connection, options));
  }

  /** Tells now and at each change whether the leader answers. */
  watch(changed: (reachable: boolean) => void): void {
    const channel = this.#clients[0]?.getChannel();
    if (channel === undefined || this.#closed) return;
    const state = channel.getConnectivityState(true);
    changed(state === connectivityState.READY);
    channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, (error) => {
      if (error === undefined) this.watch(changed);
    });
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

import type { AgentControlResponse } from '@sentinel/contracts/sentinel/v1/control.js';
import { isCarried } from '@sentinel/service-kit/carried-caller';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { UnarchivedRow } from '../store/commit-rows.js';
import type { SpoolMark } from '../store/spools.js';

/** A node whose hello was completed, while its control stream lives. */
export interface Session {
  readonly node: string;
  readonly connection: string;
  /** What the hello says of the devices: how many SMs each has, and when that was so, by the agent's clock. */
  readonly described: { readonly sms: ReadonlyMap<string, number>; readonly timeUs: number };
  readonly mark: SpoolMark;
  /** Fencing epoch that this hello was given. */
  readonly epoch: number;
  /** Committed records whose history was not durable at the hello: where they stand in the log. */
  readonly unarchived: readonly UnarchivedRow[];
  send(message: NonNullable<AgentControlResponse['message']>): void;
  /** Ends the control stream, and with it the session. */
  end(error: SentinelError): void;
  /** The stream of results, while there is one. */
  uplink: { acknowledge(): void; resume(): void; end(error: SentinelError): void } | null;
}

/** The live sessions: one for each node, found by node or by (connection, node). */
export class Sessions {
  readonly #byNode = new Map<string, Session>();
  readonly #byConnection = new Map<string, Set<Session>>();

  get size(): number {
    return this.#byNode.size;
  }

  /** Those that are connected here, not to another replica that carries their calls. */
  get here(): number {
    let count = 0;
    for (const { connection } of this.#byNode.values()) if (!isCarried(connection)) count += 1;
    return count;
  }

  all(): Iterable<Session> {
    return this.#byNode.values();
  }

  ofNode(node: string): Session | undefined {
    return this.#byNode.get(node);
  }

  /** Sessions whose hello was completed on this connection. */
  onConnection(connection: string): ReadonlySet<Session> {
    return this.#byConnection.get(connection) ?? new Set();
  }

  /** A newer hello supersedes the older session of its node. */
  add(session: Session): void {
    const older = this.#byNode.get(session.node);
    this.#byNode.set(session.node, session);
    const others = this.#byConnection.get(session.connection);
    if (others === undefined) this.#byConnection.set(session.connection, new Set([session]));
    else others.add(session);
    older?.end(superseded(session.node));
  }

  remove(session: Session): void {
    const onConnection = this.#byConnection.get(session.connection);
    onConnection?.delete(session);
    if (onConnection?.size === 0) this.#byConnection.delete(session.connection);
    if (this.#byNode.get(session.node) === session) this.#byNode.delete(session.node);
  }
}

export function superseded(node: string): SentinelError {
  return new SentinelError({
    code: 'ABORTED',
    reason: 'STALE_OWNER',
    message: `a newer connection speaks for ${node}`,
    field: 'node',
    hint: 'Two agents with one node name take turns like this: check that each has a name of its own.',
  });
}

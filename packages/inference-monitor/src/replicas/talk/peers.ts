import { Metadata } from '@grpc/grpc-js';
import type { Answer } from '@sentinel/contracts/sentinel/v1/inference.js';
import type {
  AskReplicaRequest,
  AskReplicaResponse,
  ReplicaServiceClient,
} from '@sentinel/contracts/sentinel/v1/replica.js';
import { formatAddress, parseAddress } from '@sentinel/service-kit/address';
import { certificateIdentity } from '@sentinel/service-kit/auth';
import { SentinelError } from '@sentinel/service-kit/errors';
import { type About, NOT_COMPARABLE } from './about.js';
import type { Asked } from './check-question.js';

/** Others asked in one round: two that agree are enough for a vote, and all have their turn. */
const MAX_ASKED = 4;

/** Addresses known at once. */
const MAX_ADDRESSES = 256;

/** Connections that are kept. */
const MAX_CONNECTIONS = 16;

/** A name is looked up again after so long. */
const LOOKED_UP_MS = 30_000;

/** A model may be busy, and two questions before this one. */
const DEADLINE_MS = 90_000;

/** What becomes of a question to another replica. */
export const ASKED = ['answered', 'failed', 'not_comparable', 'away', 'refused'] as const;
export type AskedOutcome = (typeof ASKED)[number];

/** What another replica answered. */
export interface PeerAnswer {
  readonly replica: string;
  readonly node: string;
  readonly gpus: readonly string[];
  readonly repeatable: boolean;
  readonly contradictions: number;
  /** When its server was last seen to start, or to load a model anew, microseconds since the Unix epoch; 0 = not told. */
  readonly sinceUs: number;
  readonly weights: string;
  readonly answer: Answer;
}

export interface PeersParts {
  /** HOST:PORT; a name may stand for several addresses. */
  readonly endpoints: readonly string[];
  readonly connect: (address: string) => ReplicaServiceClient;
  /** Addresses of a name. */
  readonly lookUp: (host: string) => Promise<string[]>;
  readonly about: () => About;
  readonly onAsked: (outcome: AskedOutcome) => void;
  readonly onAway: (address: string, error: SentinelError) => void;
  readonly nowMs: () => number;
}

/** The monitors of other replicas. Who is away is left out, and counted. */
export class Peers {
  readonly #parts: PeersParts;
  readonly #connections = new Map<string, ReplicaServiceClient>();
  #addresses: { readonly list: readonly string[]; readonly atMs: number } | null = null;
  /** Addresses at which this replica itself answered. */
  readonly #own = new Set<string>();
  #turn = 0;
  #asked = 0n;

  constructor(parts: PeersParts) {
    this.#parts = parts;
  }

  /** One answer of each of several others, all to the same question. */
  async ask(body: Asked): Promise<PeerAnswer[]> {
    const { about } = this.#parts;
    const { configHash, serverHash, model, replica } = about();
    if (configHash === '') return [];
    this.#asked += 1n;
    const question = { id: this.#asked, body };
    const hashes = { configHash: Buffer.from(configHash, 'hex'), serverHash: Buffer.from(serverHash, 'hex') };
    const request = { question, ...hashes, model, replica };
    const addresses = await this.#chosen();
    const answers = await Promise.all(addresses.map((address) => this.#askOne(address, request)));
    const byReplica = new Map<string, PeerAnswer>();
    for (const answer of answers) if (answer !== null) byReplica.set(answer.replica, answer);
    return [...byReplica.values()];
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
  }

  async #chosen(): Promise<string[]> {
    const others = (await this.#lookedUp()).filter((address) => !this.#own.has(address));
    const turn = this.#turn % Math.max(1, others.length);
    if (others.length > MAX_ASKED) this.#turn = turn + MAX_ASKED;
    return [...others.slice(turn), ...others.slice(0, turn)].slice(0, MAX_ASKED);
  }

  async #lookedUp(): Promise<readonly string[]> {
    const { endpoints, lookUp, nowMs } = this.#parts;
    if (this.#addresses !== null && nowMs() - this.#addresses.atMs < LOOKED_UP_MS) return this.#addresses.list;
    const found = await Promise.all(
      endpoints.map(async (endpoint) => {
        const { host, port } = parseAddress(endpoint);
        const hosts = await lookUp(host).catch(() => []);
        return hosts.map((each) => formatAddress({ host: each, port }));
      }),
    );
    const list = [...new Set(found.flat())].sort().slice(0, MAX_ADDRESSES);
    this.#addresses = { list, atMs: nowMs() };
    this.#own.clear();
    for (const [address, connection] of this.#connections) {
      if (list.includes(address)) continue;
      connection.close();
      this.#connections.delete(address);
    }
    return list;
  }

  /** Null where there is no answer that can be compared. */
  async #askOne(address: string, request: AskReplicaRequest): Promise<PeerAnswer | null> {
    const { about, onAsked, onAway } = this.#parts;
    try {
      const { response, node } = await call(this.#connection(address), request);
      const { answer, replica, gpus, repeatable, contradictions, sinceUs, weights } = response;
      if (replica === about().replica) {
        this.#own.add(address);
        return null;
      }
      if (answer === undefined || replica === '' || (node !== null && node !== response.node))
        throw new SentinelError({ code: 'PERMISSION_DENIED', message: `${address} answers for ${response.node}` });
      onAsked(outcomeOf(answer));
      if (answer.failure !== '') return null;
      const said = { replica, node: response.node, gpus, repeatable, contradictions, answer, sinceUs: Number(sinceUs) };
      return { ...said, weights: Buffer.from(weights).toString('hex') };
    } catch (error) {
      const known = SentinelError.from(error);
      onAsked(known.code === 'PERMISSION_DENIED' || known.code === 'INVALID_ARGUMENT' ? 'refused' : 'away');
      onAway(address, known);
      return null;
    }
  }

  #connection(address: string): ReplicaServiceClient {
    const known = this.#connections.get(address) ?? this.#parts.connect(address);
    this.#connections.delete(address);
    this.#connections.set(address, known);
    const [oldest] = this.#connections;
    if (this.#connections.size > MAX_CONNECTIONS && oldest !== undefined) {
      oldest[1].close();
      this.#connections.delete(oldest[0]);
    }
    return known;
  }
}

function outcomeOf({ failure }: Answer): AskedOutcome {
  if (failure === '') return 'answered';
  return failure === NOT_COMPARABLE ? 'not_comparable' : 'failed';
}

/** With the node that the certificate of whoever answers proves; null = it proves none. */
function call(
  client: ReplicaServiceClient,
  request: AskReplicaRequest,
): Promise<{ response: AskReplicaResponse; node: string | null }> {
  return new Promise((resolve, reject) => {
    const options = { deadline: Date.now() + DEADLINE_MS };
    const made = client.askReplica(request, new Metadata(), options, (error, response) => {
      if (error !== null) return reject(SentinelError.from(error));
      const certificate = made.getAuthContext()?.sslPeerCertificate;
      const node = certificate === undefined ? null : certificateIdentity(certificate).node;
      resolve({ response, node });
    });
  });
}

import type { Socket } from 'node:net';
import type { FrontCounts } from '../counts.js';
import { sizeOf, waitingIn } from '../memory.js';
import { type Doubt, MAX_SAMPLED_BODY_BYTES, type Sampling } from '../sampling/plan.js';
import { Drain } from './drain.js';
import { Exchange, withLength } from './exchange.js';
import { begins, Framer } from './framer.js';
import { persists, requestExtent, responseExtent } from './head.js';
import { Held } from './held.js';
import { isRepeatable } from './repeatable.js';
import { ServerLink } from './server-link.js';
import { answerUnavailable } from './unavailable.js';

/** A connection on which nothing is outstanding is closed after this time. */
const IDLE_MS = 900_000;
/** What a client sends while its sampled request is answered is kept up to here; then it is not read. */
const MAX_KEPT_BYTES = 65_536;

export interface TunnelParts {
  readonly connect: () => Socket;
  readonly sampling: Sampling;
  readonly counts: FrontCounts;
  /** So many connections are open that none is kept for later requests alone. */
  readonly crowded: () => boolean;
  /** So much waits that nothing is kept in addition. */
  readonly pressed: () => boolean;
  /** The server is not there. */
  readonly onUnavailable?: ((error: Error) => void) | undefined;
}

/**
 * One connection of a client over HTTP/1.1, and one to the server for it. Bytes pass as they come, in both directions and at the pace of who
 * reads, while two framers follow where messages begin. A request that was drawn is held until it is whole, and its answer rewritten.
 * That the server closes its connection between two requests is no matter of the client, whose next request may be under way.
 */
export class Tunnel {
  readonly #client: Socket;
  readonly #parts: TunnelParts;
  readonly #server: ServerLink;
  readonly #requests = new Framer('request', requestExtent);
  readonly #responses = new Framer('response', (head) => responseExtent(head, this.#outstanding[0] ?? ''));
  /** Methods of the requests whose answer has not ended, oldest first. */
  readonly #outstanding: string[] = [];
  /** The drawn request that is coming. */
  #held: Held | null = null;
  #exchange: Exchange | null = null;
  /** What the client sent during the exchange. */
  #kept: Buffer[] = [];
  #lost = false;
  readonly #drain = new Drain();

  constructor(client: Socket, parts: TunnelParts) {
    this.#client = client;
    this.#parts = parts;
    this.#server = new ServerLink(parts.connect, {
      data: (bytes) => this.#guard(() => this.#fromServer(bytes)),
      drain: () => client.resume(),
      ended: () => this.#guard(() => this.#serverEnded()),
      failed: (connected, error) => this.#guard(() => this.#serverFailed(connected, error)),
      idle: () => this.#rest(),
    });
    client.on('data', (bytes) => this.#guard(() => this.#fromClient(bytes)));
    client.on('end', () => this.#clientEnded());
    client.on('drain', () => this.#server.resume());
    client.on('error', () => this.#server.reset());
    client.on('close', () => this.#close());
    client.setTimeout(IDLE_MS).on('timeout', () => {
      if (this.#idle) client.destroy();
    });
  }

  /** @param first what the client has sent already; the constructor's listeners would keep it as long as the connection */
  begin(first: Buffer): void {
    this.#guard(() => this.#fromClient(first));
  }

  get waiting(): number {
    const sampled = (this.#held?.bytes ?? 0) + sizeOf(this.#kept) + (this.#exchange?.waiting ?? 0);
    return waitingIn(this.#client) + this.#server.waiting + sampled;
  }

  /** Ends with the next answer, which tells the client, or when nothing moves. */
  drain(): void {
    this.#drain.begin();
    this.#drain.moved(() => this.#closeIdle());
  }

  destroy(): void {
    this.#client.destroy();
  }

  get #idle(): boolean {
    return this.#outstanding.length === 0 && this.#held === null && this.#requests.place === 'between';
  }

  /** A mistake of the front costs one connection. */
  #guard(act: () => void): void {
    try {
      act();
    } catch {
      this.#parts.counts.failures += 1;
      this.#client.resetAndDestroy();
    }
  }

  #fromClient(bytes: Buffer): void {
    if (this.#exchange !== null) {
      this.#kept.push(bytes);
      if (sizeOf(this.#kept) > MAX_KEPT_BYTES) this.#client.pause();
      return;
    }
    let passed = 0;
    let at = 0;
    while (at < bytes.length) {
      if (this.#requests.place === 'between' && begins(bytes[at])) {
        const drawn = this.#draw();
        if (drawn || this.#outstanding.length === 0) {
          this.#toServer(bytes.subarray(passed, at));
          passed = at;
        }
        if (this.#outstanding.length === 0) this.#server.begin(!this.#parts.pressed());
        if (drawn) this.#hold();
      }
      const next = this.#stepRequest(bytes, at);
      if (this.#held !== null) {
        this.#held.push(bytes.subarray(at, next));
        passed = next;
        this.#judge();
        if (this.#exchange !== null) {
          if (next < bytes.length) this.#fromClient(bytes.subarray(next));
          return;
        }
      }
      at = next;
    }
    this.#toServer(passed === 0 ? bytes : bytes.subarray(passed));
  }

  #draw(): boolean {
    this.#parts.counts.requests += 1;
    const isAlone = this.#outstanding.length === 0 && this.#responses.place === 'between';
    return !this.#drain.begun && this.#parts.sampling.draw() && isAlone;
  }

  #stepRequest(bytes: Buffer, at: number): number {
    const requests = this.#requests;
    const inHead = requests.place === 'between' ? begins(bytes[at]) : requests.place === 'head';
    const next = requests.step(bytes, at);
    if (requests.place === 'lost') this.#lose();
    else if (inHead && requests.place !== 'head') this.#outstanding.push(requests.head?.method ?? '');
    return next;
  }

  /** Nothing more is understood: the connection is a tunnel. */
  #lose(): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#parts.counts.tunnels += 1;
    this.#requests.lose();
    this.#responses.lose();
    this.#outstanding.push('');
    if (this.#held !== null) this.#release('malformed');
  }

  #hold(): void {
    this.#held = new Held(() => this.#release('slow'));
  }

  /** Lets a drawn request pass as it came. */
  #release(doubt: Doubt | null): void {
    if (doubt !== null) this.#parts.sampling.doubt(doubt);
    const held = this.#unhold();
    if (held !== null) this.#toServer(held);
  }

  #unhold(): Buffer | null {
    const held = this.#held?.end() ?? null;
    this.#held = null;
    return held;
  }

  /** What becomes of the drawn request, as far as it has come. */
  #judge(): void {
    const { sampling } = this.#parts;
    const { place, head, extent, headBytes } = this.#requests;
    if (place === 'head' || head === null || extent === null) return;
    const doubt =
      sampling.admit(head.method, head.path, head.headers) ??
      (extent.kind !== 'length' || head.headers.some(([name]) => name === 'expect') ? 'coding' : null) ??
      (extent.kind === 'length' && extent.bytes > MAX_SAMPLED_BODY_BYTES ? 'too_large' : null);
    if (doubt !== null) {
      this.#release(doubt);
      return;
    }
    if (place !== 'between') return;
    const original = this.#unhold();
    if (original === null) return;
    const body = original.subarray(headBytes.length);
    const plan = sampling.plan({ method: head.method, path: head.path, headers: head.headers, body });
    if (plan === null) {
      this.#toServer(original);
      return;
    }
    this.#exchange = new Exchange(original, plan, (out) => this.#toClient(out));
    this.#toServer(plan.body === null ? original : Buffer.concat([withLength(headBytes, plan.body.length), plan.body]));
  }

  #fromServer(bytes: Buffer): void {
    let passed = 0;
    let at = 0;
    while (at < bytes.length) {
      if (this.#responses.place === 'between' && this.#outstanding.length === 0) this.#lose();
      const exchange = this.#exchange;
      if (exchange !== null) this.#toClient(bytes.subarray(passed, at));
      const mayTell = this.#drain.begun && exchange === null && this.#isLast;
      const before = this.#responses.place;
      const next = this.#stepResponse(bytes, at, exchange);
      const told = mayTell && this.#endsHead(before) ? this.#drain.tell(bytes.subarray(passed, next)) : null;
      if (told !== null) this.#toClient(told);
      if (told !== null || exchange !== null) passed = next;
      at = next;
    }
    if (passed < bytes.length) this.#toClient(passed === 0 ? bytes : bytes.subarray(passed));
    if (this.#drain.begun) this.#drain.moved(() => this.#closeIdle());
  }

  /** No other request of the client waits, nor is coming. */
  get #isLast(): boolean {
    return this.#outstanding.length === 1 && this.#requests.place !== 'head';
  }

  /** Whether a step was the end of the head of a final answer. */
  #endsHead(before: Framer['place']): boolean {
    const { place, head } = this.#responses;
    const ended = (before === 'between' || before === 'head') && place !== 'head' && place !== 'lost';
    return ended && head !== null && head.status >= 200;
  }

  #stepResponse(bytes: Buffer, at: number, exchange: Exchange | null): number {
    const responses = this.#responses;
    const before = responses.place;
    const inHead = before === 'between' || before === 'head';
    const next = responses.step(bytes, at, exchange?.data ?? null);
    const part = bytes.subarray(at, next);
    const { place, head, extent } = responses;
    if (place === 'lost') this.#loseExchange(exchange, inHead, part);
    else if (exchange !== null && !inHead) exchange.raw(part);
    if (place === 'lost' || place === 'head') return next;
    if (inHead && head !== null && head.status < 200) {
      if (exchange !== null) this.#toClient(responses.headBytes);
      return next;
    }
    if (inHead && head !== null && extent !== null) exchange?.begin(head, responses.headBytes, extent);
    if (place === 'between') this.#responseEnded(exchange);
    return next;
  }

  #loseExchange(exchange: Exchange | null, inHead: boolean, part: Buffer): void {
    this.#exchange = null;
    exchange?.giveUp();
    if (exchange !== null) this.#toClient(inHead ? this.#responses.headBytes : part);
    this.#lose();
    this.#takeKept();
  }

  #responseEnded(exchange: Exchange | null): void {
    if (exchange?.again === true) {
      this.#sendAgain(exchange);
      return;
    }
    this.#outstanding.shift();
    if (this.#outstanding.length === 0) {
      this.#server.answered();
      this.#requests.forget();
    }
    if (exchange === null) return;
    this.#exchange = null;
    exchange.end();
    this.#takeKept();
  }

  /** The original, on a connection of its own: some servers close theirs after a request that they refused. */
  #sendAgain(exchange: Exchange): void {
    this.#server.renew();
    this.#responses.restart();
    this.#exchange = exchange.next();
    this.#toServer(exchange.original);
    if (this.#client.readableEnded) this.#endServer();
  }

  #takeKept(): void {
    const kept = Buffer.concat(this.#kept);
    this.#kept = [];
    this.#client.resume();
    if (kept.length === 0) return;
    this.#fromClient(kept);
    if (this.#client.readableEnded) this.#clientEnded();
  }

  #toServer(bytes: Buffer): void {
    if (bytes.length > 0 && !this.#server.write(bytes)) this.#client.pause();
  }

  #toClient(bytes: Buffer): void {
    if (bytes.length > 0 && !this.#client.write(bytes)) this.#server.pause();
  }

  #clientEnded(): void {
    if (this.#held !== null) this.#release(null);
    this.#endServer();
  }

  /** As the client has ended, once all that it sent is under way. */
  #endServer(): void {
    if (this.#kept.length > 0) return;
    if (this.#server.isOpen) this.#server.end();
    else this.#client.end();
  }

  /** Closes the connection to the server between two requests, and keeps the client's. @returns false where it has to stay as it is */
  #rest(): boolean {
    const kept = persists(this.#requests.head) && persists(this.#responses.head);
    const rests = this.#idle && this.#server.used && kept && !this.#client.readableEnded;
    if (!rests || this.#parts.crowded()) return false;
    this.#server.close();
    this.#client.resume();
    return true;
  }

  /** The server closed a used connection just as a request was sent on it. */
  #resend(): boolean {
    const { place, head } = this.#requests;
    const unsent = this.#held !== null || place === 'head';
    const safe = unsent || (head !== null && isRepeatable(head));
    if (this.#lost || this.#outstanding.length > 1 || !safe || !this.#server.resend()) return false;
    this.#parts.counts.resent += 1;
    this.#client.resume();
    if (this.#client.readableEnded) this.#endServer();
    return true;
  }

  #serverEnded(): void {
    if (this.#rest() || this.#sendsAgain()) return;
    const exchange = this.#exchange;
    this.#exchange = null;
    if (this.#responses.place === 'until-close') exchange?.end();
    else this.#giveUp(exchange);
    this.#client.end();
  }

  /** The server is gone without an answer. @returns whether the request was sent to a new connection */
  #sendsAgain(): boolean {
    const exchange = this.#exchange;
    if (this.#responses.place === 'between') exchange?.unanswered();
    if (exchange?.again !== true) return this.#resend();
    this.#sendAgain(exchange);
    return true;
  }

  /** What came of an answer that ends too early goes to the client. */
  #giveUp(exchange: Exchange | null): void {
    exchange?.giveUp();
    if (exchange !== null && this.#responses.place === 'head') this.#toClient(this.#responses.headBytes);
  }

  #serverFailed(connected: boolean, error: Error): void {
    if (connected && (this.#rest() || this.#sendsAgain())) return;
    const exchange = this.#exchange;
    this.#exchange = null;
    this.#giveUp(exchange);
    if (connected) {
      // A truncated answer must not look whole: what is written is sent, then the connection is reset.
      this.#client.write('', () => this.#client.resetAndDestroy());
      return;
    }
    this.#parts.counts.unavailable += 1;
    this.#parts.sampling.forget();
    this.#parts.onUnavailable?.(error);
    answerUnavailable(this.#client);
  }

  #close(): void {
    this.#drain.stop();
    this.#unhold();
    this.#exchange?.giveUp();
    this.#server.close();
  }

  #closeIdle(): void {
    if (!this.#idle) return;
    this.#client.end();
    this.#server.end();
  }
}

import { type CallOptions, status } from '@grpc/grpc-js';
import type {
  AnomalyServiceClient,
  StreamAnomalyEventsRequest,
  StreamAnomalyEventsResponse,
} from '@sentinel/contracts/sentinel/v1/anomaly.js';
import { Backoff } from '@sentinel/service-kit/backoff';
import { SentinelError } from '@sentinel/service-kit/errors';
import { Sender, WINDOW_RECORDS } from '@sentinel/service-kit/uplink/sender';
import { writeTo } from '@sentinel/service-kit/uplink/stream-queue';
import { type AnomalySpool, isOfTestBuild, sealed } from './anomaly-spool.js';

const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 30_000;

/** Time that the engine has to acknowledge what was sent, when the analyser stops. */
const CLOSE_GRACE_MS = 500;

/** Time that the engine has to take a stream on which nothing is sent. */
const TRY_MS = 10_000;

/** Connections that the engine ends for the same record as wrong, before the record is given up. */
const REFUSALS = 3;

type AnomalyStream = ReturnType<AnomalyServiceClient['streamAnomalyEvents']>;

export interface UplinkParts {
  readonly node: string;
  readonly spool: AnomalySpool;
  readonly connect: () => Pick<AnomalyServiceClient, 'streamAnomalyEvents' | 'close'>;
  /** The engine acknowledged something, or would: it takes what is sent. */
  readonly onConnected: () => void;
  /** The connection ended or could not be made. @param idle it was made, and nothing was owed any more */
  readonly onDisconnect: (error: SentinelError, retryMs: number, idle: boolean) => void;
  /** Sentences of the engine, for people. */
  readonly onWarning: (sentence: string) => void;
  /** Records that the engine will never take. */
  readonly onGivenUp: (records: number, reason: string) => void;
  readonly random?: () => number;
}

/**
 * Sends what the spool holds for as long as the analyser runs, and forgets what the engine has committed. While nothing is owed there
 * is no connection; but one is tried at the start and after each that broke, so that an address or a certificate that is wrong is
 * told before there is something to send.
 */
export class Uplink {
  readonly #parts: UplinkParts;
  readonly #backoff: Backoff;
  #sender: Sender<StreamAnomalyEventsRequest> | null = null;
  #fail: (error: unknown) => void = () => {};
  #close: () => void = () => {};
  #stopping = false;
  /** The last connection ended well. */
  #reached = false;
  #wake: () => void = () => {};
  #refused = { sequence: 0n, times: 0 };
  #loop: Promise<void> = Promise.resolve();

  constructor(parts: UplinkParts) {
    this.#parts = parts;
    const { random } = parts;
    const limits = { firstMs: FIRST_RETRY_MS, lastMs: LAST_RETRY_MS };
    this.#backoff = new Backoff(random === undefined ? limits : { ...limits, random });
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** New records are in the spool. */
  wake(): void {
    this.#wake();
    this.#sender?.pump().catch((error: unknown) => this.#fail(error));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake();
    this.#close();
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const nothingOwed = this.#parts.spool.records === 0;
      if (nothingOwed && this.#reached) {
        await this.#sleep(null);
        continue;
      }
      const error = nothingOwed ? await this.#try() : await this.#send();
      if (this.#stopping) return;
      this.#reached = error === null;
      if (this.#reached) {
        this.#parts.onConnected();
        continue;
      }
      const known = SentinelError.from(error);
      await this.#giveUpRefused(known);
      if (this.#stopping) return;
      const retryMs = Math.max(this.#backoff.nextMs(), known.retryAfterMs);
      this.#parts.onDisconnect(known, retryMs, !nothingOwed && this.#parts.spool.records === 0);
      await this.#sleep(retryMs);
    }
  }

  /** Does the engine take a stream of this caller? Resolves with what ended it; null = yes. */
  #try(): Promise<unknown> {
    return this.#stream({ deadline: Date.now() + TRY_MS }, (stream, end) => {
      stream.on('data', () => {});
      stream.on('status', ({ code }) => code === status.OK && end(null));
      this.#close = () => end(null);
      stream.end();
    });
  }

  /** Resolves with what ended the stream. */
  #send(): Promise<unknown> {
    const { node, spool, onConnected, onWarning } = this.#parts;
    return this.#stream({}, (stream, end) => {
      this.#fail = end;
      // The engine may have committed more than its answers could tell before the last connection ended.
      const already = { committedThrough: spool.lastSequence, archivedThrough: spool.firstSequence - 1n };
      const seal = (sequence: bigint, bytes: Uint8Array) => sealed(node, spool.spoolId, sequence, bytes);
      // What was refused goes alone: of several on their way it would not be known which one the engine refuses.
      const windowRecords = () => (spool.firstSequence <= this.#refused.sequence ? 1 : WINDOW_RECORDS);
      const sender = new Sender(spool, already, seal, (request) => writeTo(stream, request), windowRecords);
      stream.on('data', ({ committedThrough, warnings }: StreamAnomalyEventsResponse) => {
        this.#backoff.reset();
        onConnected();
        for (const warning of warnings) onWarning(warning);
        sender.acknowledged({ committedThrough, archivedThrough: committedThrough }).catch(end);
      });
      stream.on('end', () => end(new SentinelError({ code: 'UNAVAILABLE', message: 'the engine ended the stream' })));
      this.#close = () => {
        sender
          .pump()
          .finally(() => stream.end())
          .catch(end);
        setTimeout(end, CLOSE_GRACE_MS).unref();
      };
      this.#sender = sender;
      this.wake();
    });
  }

  /** A stream that `use` is given, until something ends it: an error, or what `use` says. */
  async #stream(
    options: CallOptions,
    use: (stream: AnomalyStream, end: (by: unknown) => void) => void,
  ): Promise<unknown> {
    const ended = Promise.withResolvers<unknown>();
    let client: ReturnType<UplinkParts['connect']> | undefined;
    try {
      client = this.#parts.connect();
      const stream = client.streamAnomalyEvents(options);
      stream.on('error', ended.resolve);
      use(stream, ended.resolve);
      const by = await ended.promise;
      stream.cancel();
      return by;
    } catch (error) {
      return error;
    } finally {
      this.#sender = null;
      this.#close = () => {};
      client?.close();
    }
  }

  /** What is refused for ever must not keep back what comes after it. */
  async #giveUpRefused({ code, reason, message }: SentinelError): Promise<void> {
    const { spool, onGivenUp } = this.#parts;
    // Changes of a spool follow each other: after this one what the engine acknowledged last is forgotten, and not thought to be refused.
    await spool.acknowledge(0n, 0n);
    const before = spool.firstSequence - 1n;
    if (reason === 'TEST_BUILD_REFUSED') {
      const records = await spool.giveUpRefused(before, isOfTestBuild);
      if (records > 0) onGivenUp(records, message);
    }
    if (code !== 'INVALID_ARGUMENT' || spool.records === 0) return;
    const { firstSequence: sequence } = spool;
    this.#refused = { sequence, times: this.#refused.sequence === sequence ? this.#refused.times + 1 : 1 };
    if (this.#refused.times < REFUSALS) return;
    const culprit = Buffer.from(await spool.read(sequence));
    const records = await spool.giveUpRefused(before, (bytes) => culprit.equals(bytes));
    if (records > 0) onGivenUp(records, message);
  }

  /** @param ms null = until something is in the spool */
  #sleep(ms: number | null): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === null ? null : setTimeout(resolve, ms);
      this.#wake = () => {
        // New records do not shorten the pause after a failure.
        if (ms !== null && !this.#stopping) return;
        if (timer !== null) clearTimeout(timer);
        resolve();
      };
    });
  }
}

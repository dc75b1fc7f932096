import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import {
  FleetDirective_Action as Action,
  type FleetDirective,
  type StreamDirectivesRequest,
  type StreamDirectivesResponse,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import type { Clock } from '@sentinel/service-kit/clock';
import { SentinelError } from '@sentinel/service-kit/errors';
import { failStream } from '@sentinel/service-kit/grpc-server';
import type { Logger } from '@sentinel/service-kit/logging';
import type { FleetAction, HealthState } from '../core.js';
import type { FleetDirectiveTable } from '../store/schema.js';
import { BEGINNING, type Cursor, endOf, isBefore, toMessage } from './cursor.js';
import { type DirectiveLog, PAGE_ROWS } from './directive-log.js';
import type { News } from './news.js';

/** Orchestrators are few; each costs a page of rows and a query for each new one. */
export const MAX_DIRECTIVE_STREAMS = 64;
const HEARTBEAT_MS = 10_000;

export interface DirectiveParts {
  readonly log: Logger;
  readonly directives: DirectiveLog;
  readonly news: News;
  readonly clock: Clock;
  /** Newest record that is committed. */
  readonly head: () => number;
  /** How long a consumer may leave what is sent unread, ms. */
  readonly patienceMs: () => number;
}

type Call = ServerWritableStream<StreamDirectivesRequest, StreamDirectivesResponse>;

/** Every stream of directives. */
export class DirectiveStreams {
  readonly #parts: DirectiveParts;
  readonly #open = new Set<DirectiveStream>();

  constructor(parts: DirectiveParts) {
    this.#parts = parts;
  }

  readonly handle = (call: Call): void => {
    if (this.#open.size >= MAX_DIRECTIVE_STREAMS) return failStream(call, tooMany(), this.#parts.log);
    const stream = new DirectiveStream(this.#parts, call);
    this.#open.add(stream);
    void stream.run().finally(() => this.#open.delete(stream));
  };

  /** Ends them all: their consumers come back with their cursors. */
  stop(error: SentinelError): void {
    for (const stream of this.#open) stream.end(error);
  }
}

/** Replays the log from a cursor and goes on with what is committed. Everything is read from the log, so that replay and live are one. */
class DirectiveStream {
  readonly #parts: DirectiveParts;
  readonly #call: Call;
  readonly #over = new AbortController();

  constructor(parts: DirectiveParts, call: Call) {
    this.#parts = parts;
    this.#call = call;
    for (const event of ['cancelled', 'error', 'close']) call.on(event, () => this.#over.abort());
  }

  /** Until the consumer leaves. */
  async run(): Promise<void> {
    try {
      await this.#follow();
    } catch (error) {
      this.end(readable(error));
    }
  }

  end(error: SentinelError): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    failStream(this.#call, error, this.#parts.log);
  }

  async #follow(): Promise<void> {
    const { request } = this.#call;
    const { directives, news } = this.#parts;
    let cursor = this.#start(request);
    // Without a cursor there is nothing to miss before the oldest row that is kept.
    let complete = request.after !== undefined || request.fromNow;
    while (!this.#over.signal.aborted) {
      const next = news.next;
      const head = endOf(this.#parts.head());
      const rows = await directives.page(cursor, complete);
      complete = true;
      for (const row of rows) {
        cursor = { commitSeq: row.commit_seq, ordinal: row.ordinal };
        await this.#send({ message: { $case: 'directive', value: toDirective(row) } });
      }
      if (rows.length === PAGE_ROWS) continue;
      if (isBefore(cursor, head)) cursor = head;
      const timeUs = this.#parts.clock.nowUs();
      await this.#send({ message: { $case: 'caughtUp', value: { cursor: toMessage(cursor), timeUs } } });
      await this.#within(HEARTBEAT_MS, next);
    }
  }

  #start({ after, fromNow }: StreamDirectivesRequest): Cursor {
    const head = this.#parts.head();
    if (after === undefined) return fromNow ? endOf(head) : BEGINNING;
    if (fromNow) throw invalid('give `after` or `from_now`, not both');
    if (after.commitSeq > BigInt(head)) throw unknown(after.commitSeq, head);
    return { commitSeq: Number(after.commitSeq), ordinal: after.ordinal };
  }

  /** Waits for a consumer that is slower than the log, but not for ever. */
  async #send(message: StreamDirectivesResponse): Promise<void> {
    if (this.#over.signal.aborted || this.#call.write(message)) return;
    const read = new Promise<void>((resolve) => {
      this.#call.once('drain', resolve);
    });
    if (!(await this.#within(this.#parts.patienceMs(), read))) throw tooSlow();
  }

  /** false = the time is over first. A stream that is over waits for nothing. */
  async #within(ms: number, what: Promise<void>): Promise<boolean> {
    const done = new AbortController();
    const signal = AbortSignal.any([this.#over.signal, done.signal]);
    const late = sleep(ms, false, { signal }).catch(() => true);
    const inTime = await Promise.race([what.then(() => true), late]);
    done.abort();
    return inTime;
  }
}

const ACTIONS: Readonly<Record<FleetAction, Action>> = {
  QUARANTINE: Action.QUARANTINE,
  REINSTATE: Action.REINSTATE,
  DEEP_TEST: Action.DEEP_TEST,
  CONDEMN: Action.CONDEMN,
  CORDON: Action.CORDON,
  UNCORDON: Action.UNCORDON,
};

function toDirective(row: FleetDirectiveTable): FleetDirective {
  return {
    cursor: toMessage({ commitSeq: row.commit_seq, ordinal: row.ordinal }),
    id: row.id,
    action: ACTIONS[row.action as FleetAction],
    gpu: row.gpu,
    node: row.node,
    reason: row.reason,
    actor: row.actor,
    from: stateOf(row.from_state),
    to: stateOf(row.to_state),
    timeUs: BigInt(row.time_us),
    injected: row.injected,
  };
}

function stateOf(name: string | null): GpuState {
  return name === null ? GpuState.UNSPECIFIED : GpuState[name as HealthState];
}

/** Whatever the database says when it is away: the consumer comes back with its cursor. */
function readable(error: unknown): SentinelError {
  if (error instanceof SentinelError) return error;
  const message = `the database did not answer (${(error as Error).message})`;
  const hint = 'Connect again with the cursor of the newest message.';
  return new SentinelError({ code: 'UNAVAILABLE', message, retryAfterMs: 1_000, hint, cause: error });
}

function invalid(message: string): SentinelError {
  return new SentinelError({ code: 'INVALID_ARGUMENT', message, field: 'after' });
}

function unknown(commitSeq: bigint, head: number): SentinelError {
  return new SentinelError({
    code: 'OUT_OF_RANGE',
    reason: 'NOT_FOUND',
    message: `the log ends at ${head}, before the cursor's ${commitSeq}: it comes from another database`,
    field: 'after',
    hint: 'Take the state of every device from QueryFleetHealth, then stream without a cursor.',
  });
}

function tooSlow(): SentinelError {
  return new SentinelError({
    code: 'RESOURCE_EXHAUSTED',
    message: 'the consumer does not read what it is sent',
    retryAfterMs: 1_000,
    hint: 'Connect again with the cursor of the newest message that was carried out.',
  });
}

function tooMany(): SentinelError {
  return new SentinelError({
    code: 'RESOURCE_EXHAUSTED',
    message: `${MAX_DIRECTIVE_STREAMS} streams of directives are open already`,
    retryAfterMs: 10_000,
    hint: 'Close one: each orchestrator needs one.',
  });
}

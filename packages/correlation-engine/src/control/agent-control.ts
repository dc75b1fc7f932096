import { randomBytes } from 'node:crypto';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import {
  AgentControlRequest,
  type AgentControlResponse,
  DirectiveStatus_State,
} from '@sentinel/contracts/sentinel/v1/control.js';
import type { Clock } from '@sentinel/service-kit/clock';
import { SentinelError } from '@sentinel/service-kit/errors';
import { connectionOf, failStream, identityOf } from '@sentinel/service-kit/grpc-server';
import type { Logger } from '@sentinel/service-kit/logging';
import type { Committer } from '../commit/committer.js';
import { canaryDirectives, type DirectiveStatusRecord, type HelloRecord, remainingDirectives } from '../core.js';
import type { Events } from '../events.js';
import type { UnarchivedRow } from '../store/commit-rows.js';
import type { Archiver } from '../store/history/archiver.js';
import { controlMessages } from './control-messages.js';
import { directiveMessage } from './directive-messages.js';
import { type Admission, invalid, judgeProof, type Proven } from './handshake.js';
import { type Session, type Sessions, superseded } from './sessions.js';

/** From the opening of the stream to the proof. */
const HANDSHAKE_DEADLINE_MS = 10_000;
export const HEARTBEAT_INTERVAL_MS = 5_000;
const NONCE_BYTES = 32;
/** Streams that have not proven anything yet. Beyond it new ones are refused. */
const MAX_HANDSHAKES = 4_096;
/** Reports on directives that wait for their commit; beyond it the stream is paused. */
const MAX_WAITING_STATUSES = 256;
/** Messages that an agent has not read yet; one that leaves more unread is cut off. */
const MAX_UNREAD = 2_048;
const MAX_ID_LENGTH = 128;
const MAX_REASON_LENGTH = 512;

export interface ControlParts {
  readonly committer: Committer;
  readonly archiver: Archiver;
  readonly sessions: Sessions;
  readonly events: Events;
  readonly clock: Clock;
  readonly log: Logger;
  readonly admission: () => Admission;
  readonly unarchived: (node: string, spoolId: string) => Promise<UnarchivedRow[]>;
}

/** Requests arrive as bytes: what cannot be decoded is then refused with a reason instead of breaking the call. */
type Call = ServerDuplexStream<Buffer, AgentControlResponse>;

export function agentControl(parts: ControlParts): (call: Call) => void {
  const handshakes = { count: 0 };
  return (call) => new ControlStream(parts, call, handshakes).run();
}

/** hello -> challenge -> proof -> welcome, then directives out and reports in, until the stream ends. */
class ControlStream {
  readonly #parts: ControlParts;
  readonly #call: Call;
  readonly #handshakes: { count: number };
  #nonce: Buffer | null = null;
  #proving = false;
  #session: Session | null = null;
  #node = '';
  #waitingStatuses = 0;
  #ended = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: ControlParts, call: Call, handshakes: { count: number }) {
    this.#parts = parts;
    this.#call = call;
    this.#handshakes = handshakes;
  }

  run(): void {
    this.#handshakes.count += 1;
    const call = this.#call;
    call.on('data', (bytes: Buffer) => this.#guard(() => this.#receive(bytes)));
    call.on('end', () => this.#end('the agent ended the stream'));
    call.on('cancelled', () => this.#end('the connection ended'));
    call.on('error', () => this.#end('the connection failed'));
    if (this.#handshakes.count > MAX_HANDSHAKES) {
      return this.#fail(
        new SentinelError({ code: 'RESOURCE_EXHAUSTED', message: 'too many agents are joining', retryAfterMs: 1_000 }),
      );
    }
    this.#timer = setTimeout(() => {
      this.#fail(
        new SentinelError({
          code: 'DEADLINE_EXCEEDED',
          message: `the hello was not completed within ${HANDSHAKE_DEADLINE_MS} ms`,
        }),
      );
    }, HANDSHAKE_DEADLINE_MS);
  }

  #receive(bytes: Buffer): void {
    const { message } = decode(bytes);
    switch (message?.$case) {
      case 'hello':
        return this.#challenge(message.value.node);
      case 'proof': {
        if (this.#nonce === null || this.#proving) throw unexpected('proof', 'it answers a challenge, once');
        const proven = judgeProof(message.value, this.#nonce, identityOf(this.#call), this.#parts.admission());
        return this.#admit(proven);
      }
      case 'directiveStatus':
        return this.#report(message.value);
      case 'heartbeat':
        if (this.#session === null) throw unexpected('heartbeat', 'hello comes first');
        return;
      case undefined:
        throw unexpected('message', 'it is empty');
    }
  }

  #challenge(node: string): void {
    if (this.#nonce !== null) throw unexpected('hello', 'one is enough');
    this.#node = node.slice(0, 253);
    this.#nonce = randomBytes(NONCE_BYTES);
    this.#write({ $case: 'challenge', value: { nonce: this.#nonce } });
  }

  #admit({ record, spoolId }: Proven): void {
    this.#proving = true;
    this.#node = record.node;
    this.#parts.committer.submit({
      kind: 'hello',
      record,
      spoolId,
      committed: (epoch) => {
        if (this.#ended) return this.#leave(record.node, epoch);
        this.#welcome(record, spoolId, epoch).then(
          (devices) => {
            if (devices)
              this.#parts.events.agentRegistered({ ...record, spoolId, devices: record.devices.length, epoch });
          },
          (error: unknown) => this.#fail(error),
        );
      },
      failed: (error) => this.#fail(error),
    });
  }

  /** The node is registered and committed: from here on it may send results. */
  async #welcome(record: HelloRecord, spoolId: string, epoch: number): Promise<boolean> {
    const { node } = record;
    const { committer, archiver, sessions, clock } = this.#parts;
    const mark = committer.spools.open(node, spoolId);
    await archiver.refresh(mark);
    const session: Session = {
      node,
      connection: connectionOf(this.#call),
      described: {
        sms: new Map(record.devices.map(({ id, sms }) => [id, sms.length])),
        timeUs: record.agentTimeUs,
      },
      mark,
      epoch,
      unarchived: mark.archived < mark.committed ? await this.#parts.unarchived(node, spoolId) : [],
      send: (message) => this.#write(message),
      end: (error) => this.#fail(error),
      uplink: null,
    };
    if (committer.epochOf(node) > epoch) this.#fail(superseded(node));
    if (this.#ended) {
      this.#leave(node, epoch);
      return false;
    }
    clearInterval(this.#timer);
    this.#handshakes.count -= 1;
    this.#session = session;
    sessions.add(session);
    this.#write({
      $case: 'welcome',
      value: {
        engineTimeUs: clock.nowUs(),
        committedThrough: BigInt(mark.committed),
        archivedThrough: BigInt(mark.archived),
        fencingEpoch: BigInt(epoch),
        heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
      },
    });
    this.#repeatDirectives(node);
    this.#timer = setInterval(
      () => this.#write({ $case: 'heartbeat', value: { engineTimeUs: clock.nowUs() } }),
      HEARTBEAT_INTERVAL_MS,
    );
    return true;
  }

  /** What is unfinished, and what operators said about probing: also what was decided between the hello's commit and now. */
  #repeatDirectives(node: string): void {
    const { state } = this.#parts.committer;
    for (const message of controlMessages(state.nodes.get(node))) this.#write(message);
    for (const deviceId of state.nodes.get(node)?.deviceIds ?? []) {
      const device = state.devices.get(deviceId);
      if (device?.announced !== true) continue;
      for (const { id, work } of remainingDirectives(device, state.config))
        this.#write(directiveMessage({ op: 'send', node, deviceId, id, work }));
    }
    for (const canary of state.canaries.open)
      for (const effect of canaryDirectives(canary)) if (effect.node === node) this.#write(directiveMessage(effect));
  }

  #report(status: { id: string; state: number; reason: string }): void {
    if (this.#session === null) throw unexpected('directive_status', 'hello comes first');
    const state = STATES.get(status.state);
    if (state === undefined) throw invalid('directive_status.state', 'must be ACCEPTED, RUNNING, DONE or REFUSED');
    if (status.id === '' || status.id.length > MAX_ID_LENGTH)
      throw invalid('directive_status.id', `must have 1 to ${MAX_ID_LENGTH} characters`);
    this.#waitingStatuses += 1;
    if (this.#waitingStatuses >= MAX_WAITING_STATUSES) this.#call.pause();
    const done = (): void => {
      this.#waitingStatuses -= 1;
      if (this.#waitingStatuses < MAX_WAITING_STATUSES / 2) this.#call.resume();
    };
    const reason = status.reason.slice(0, MAX_REASON_LENGTH);
    const record: DirectiveStatusRecord = {
      kind: 'directive-status',
      node: this.#session.node,
      directiveId: status.id,
      state,
      reason,
    };
    this.#parts.committer.submit({ kind: 'own', record, committed: done, failed: done });
  }

  #write(message: NonNullable<AgentControlResponse['message']>): void {
    if (this.#ended) return;
    if (this.#call.writableLength > MAX_UNREAD) {
      this.#parts.events.leftOut('directive');
      return this.#fail(
        new SentinelError({
          code: 'RESOURCE_EXHAUSTED',
          message: 'the agent does not read what it is sent',
          retryAfterMs: 1_000,
        }),
      );
    }
    this.#call.write({ message });
  }

  #guard(action: () => void): void {
    try {
      if (!this.#ended) action();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(thrown: unknown): void {
    if (this.#ended) return;
    const error = SentinelError.from(thrown);
    if (error.reason !== 'SHUTTING_DOWN')
      this.#parts.events.refused('control', error, { node: this.#node, peer: connectionOf(this.#call) });
    this.#end(error.message, error);
    failStream(this.#call, thrown, this.#parts.log);
  }

  /** Everything that hangs on the stream ends with it. */
  #end(why: string, error?: SentinelError): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#timer);
    const session = this.#session;
    if (session === null) this.#handshakes.count -= 1;
    if (error === undefined) this.#call.end();
    if (session === null) return;
    session.uplink?.end(
      error ??
        new SentinelError({
          code: 'FAILED_PRECONDITION',
          reason: 'HELLO_REQUIRED',
          message: 'the control stream ended',
        }),
    );
    this.#parts.sessions.remove(session);
    this.#parts.events.agentLeft(session.node, why);
    this.#leave(session.node, session.epoch);
  }

  /** Unless a newer hello of the node was committed meanwhile. */
  #leave(node: string, epoch: number): void {
    if (this.#parts.committer.epochOf(node) !== epoch) return;
    const nothing = (): void => {};
    this.#parts.committer.submit({
      kind: 'own',
      record: { kind: 'node-left', node },
      committed: nothing,
      failed: nothing,
    });
  }
}

const STATES: ReadonlyMap<number, DirectiveStatusRecord['state']> = new Map([
  [DirectiveStatus_State.ACCEPTED, 'ACCEPTED'],
  [DirectiveStatus_State.RUNNING, 'RUNNING'],
  [DirectiveStatus_State.DONE, 'DONE'],
  [DirectiveStatus_State.REFUSED, 'REFUSED'],
]);

function decode(bytes: Buffer): AgentControlRequest {
  try {
    return AgentControlRequest.decode(bytes);
  } catch (cause) {
    throw new SentinelError({
      code: 'INVALID_ARGUMENT',
      reason: 'MALFORMED',
      message: 'the message cannot be decoded',
      cause,
    });
  }
}

function unexpected(field: string, why: string): SentinelError {
  return new SentinelError({
    code: 'FAILED_PRECONDITION',
    reason: 'HELLO_REQUIRED',
    message: `${field} is out of place: ${why}`,
    field,
  });
}

import {
  type AgentControlResponse,
  type Directive,
  type DirectiveStatus,
  DirectiveStatus_State as State,
} from '@sentinel/contracts/sentinel/v1/control.js';
import type { Clock } from '@sentinel/service-kit/clock';
import type { Logger } from '@sentinel/service-kit/logging';
import { planDirective, RefusedDirective, type Testable } from '../scheduler/directive-plan.js';
import { DirectiveBook, type Progress } from '../scheduler/directives.js';
import type { EngineClock } from './engine-clock.js';

const STATES: Readonly<Record<Progress['state'], State>> = {
  accepted: State.ACCEPTED,
  running: State.RUNNING,
  done: State.DONE,
  refused: State.REFUSED,
};

export interface DeskParts {
  readonly devices: readonly Testable[];
  readonly clock: Clock;
  readonly engineClock: Pick<EngineClock, 'nowUs'>;
  readonly log: Logger;
  readonly send: (status: DirectiveStatus) => void;
  /** Something may have become due. */
  readonly onWork: () => void;
}

/** Takes the engine's directives and answers how far they are. They outlive a connection: the engine repeats what remains. */
export class DirectiveDesk {
  readonly book: DirectiveBook;
  readonly #parts: DeskParts;

  constructor(parts: DeskParts) {
    this.#parts = parts;
    this.book = new DirectiveBook((progress) => this.#report(progress));
  }

  receive(message: AgentControlResponse['message']): void {
    if (message?.$case === 'directive') this.#take(message.value);
    if (message?.$case === 'cancel') this.book.cancel(message.value.id);
  }

  #take(directive: Directive): void {
    const { clock, engineClock, devices, log, onWork } = this.#parts;
    try {
      const plan = planDirective(directive, devices, engineClock.nowUs());
      const known = this.book.progress(plan.id) !== undefined;
      this.book.accept(plan, clock.monotonicMs());
      if (!known) log.info({ directive: plan.id, kind: plan.kind, device: plan.deviceId }, 'directive accepted');
      onWork();
    } catch (error) {
      if (!(error instanceof RefusedDirective)) throw error;
      log.warn({ directive: directive.id }, `directive refused: ${error.message}`);
      this.book.refuse(directive.id, error.message);
    }
  }

  #report({ id, state, executions, failures, reason }: Progress): void {
    if (state === 'done') this.#parts.log.info({ directive: id, executions, failures, reason }, 'directive done');
    this.#parts.send({ id, state: STATES[state], executions, failures, reason });
  }
}

import type { ClosedCanary, TrustSnapshot } from '../canary/facts.js';
import { type Census, censusOf } from './census.js';
import type { DecisionModel } from './decision.js';
import type { Draft } from './draft.js';
import type {
  AuditTypeName,
  ComparisonEffect,
  CounterIncrement,
  DirectiveEffect,
  Effects,
  EventDetail,
  FleetDirective,
  Forgettable,
  IgnoredRows,
  MovedDevice,
  ObservationEffect,
  OutboxEvent,
  ProposalEffect,
  Refusal,
  TransitionEffect,
} from './effects.js';
import { type EventSource, eventId } from './event-id.js';
import { ALL_GATES, type Gates } from './gates/outcome.js';
import type { CommitContext } from './record.js';

/** The application of one record: where it reads and writes, and what it has produced so far. */
export interface Step {
  readonly draft: Draft;
  readonly ctx: CommitContext;
  readonly source: EventSource;
  readonly model: DecisionModel;
  readonly gates: Gates;
  readonly effects: StepEffects;
  /** Cohorts as they stood when this record first looked at them. */
  readonly census: Map<string, Census>;
  /** Who had answered enough when this record first asked, by device and family. */
  readonly answered: Map<string, boolean>;
}

export interface StepEffects extends Effects {
  moved: MovedDevice[];
  counters: CounterIncrement[];
  observations: ObservationEffect[];
  transitions: TransitionEffect[];
  proposals: ProposalEffect[];
  directives: DirectiveEffect[];
  fleetDirectives: FleetDirective[];
  closedCanaries: ClosedCanary[];
  trustSnapshots: TrustSnapshot[];
  outbox: OutboxEvent[];
  controls: string[];
  ignored: IgnoredRows[];
  comparisons: ComparisonEffect[];
  forgotten: Partial<Record<Forgettable, number>>;
  refusal: Refusal | null;
}

export function newStep(
  draft: Draft,
  ctx: CommitContext,
  source: EventSource,
  model: DecisionModel,
  gates = ALL_GATES,
): Step {
  const effects: StepEffects = {
    moved: [],
    counters: [],
    observations: [],
    transitions: [],
    proposals: [],
    directives: [],
    fleetDirectives: [],
    closedCanaries: [],
    trustSnapshots: [],
    outbox: [],
    controls: [],
    ignored: [],
    comparisons: [],
    forgotten: {},
    refusal: null,
  };
  return { draft, ctx, source, model, gates, effects, census: new Map(), answered: new Map() };
}

export interface EventSubject {
  gpu: string;
  eventUs: number;
  injected: boolean;
}

/** Adds an event to the outbox; its ordinal within the record makes its id. Returns the id. */
export function emit(step: Step, type: AuditTypeName, subject: EventSubject, detail: EventDetail): string {
  const id = eventId(step.source, step.effects.outbox.length);
  step.effects.outbox.push({ eventId: id, type, ...subject, detail });
  return id;
}

/** Counts what bounded memory gives up. */
export function forget(step: Step, what: Forgettable, count = 1): void {
  if (count > 0) step.effects.forgotten[what] = (step.effects.forgotten[what] ?? 0) + count;
}

/** Cohort census, counted once per record: a review of many held devices asks for the same few. */
export function stepCensus(step: Step): (cohort: string) => Census {
  return (cohort) => {
    let census = step.census.get(cohort);
    if (census === undefined) {
      census = censusOf(step.draft, cohort);
      step.census.set(cohort, census);
    }
    return census;
  };
}

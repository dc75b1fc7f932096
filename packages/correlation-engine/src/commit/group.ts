import { SentinelError } from '@sentinel/service-kit/errors';
import type { LiveUpdate } from '../bus/live-updates.js';
import { superseded } from '../control/sessions.js';
import { apply, begin, type CoreRecord, type CoreState, changes, type Draft, type Effects } from '../core.js';
import { nodeOf } from '../evidence/draft.js';
import { sequenceGap } from '../ingest/sequence-gap.js';
import { announced } from '../live/announce.js';
import type { CommitRows, Head, MarkRow, UnarchivedRow } from '../store/commit-rows.js';
import type { OrderTable } from '../store/schema.js';
import type { SpoolMark } from '../store/spools.js';
import { type HelloItem, type Item, keepsBase, type MonitorItem, type SpoolItem, type UplinkItem } from './item.js';
import { EffectRows, orderRow } from './merge.js';

/** A record as it stands in the log. */
export interface Logged {
  readonly item: Item;
  readonly commitSeq: number;
  readonly effects: Effects;
  /** What readers of live updates are told of it. */
  readonly updates: readonly LiveUpdate[];
  /** Clock offset of the node, for the history. */
  readonly offsetUs: number;
}

/** What one transaction holds: the changed state as a draft, and every row to write. Nothing outside was changed to make it. */
export interface Group {
  readonly draft: Draft;
  readonly rows: CommitRows;
  readonly logged: readonly Logged[];
  /** Repeated records of a spool: they change nothing and are acknowledged again. */
  readonly duplicates: readonly SpoolItem[];
  readonly refused: readonly { readonly item: Item; readonly error: SentinelError }[];
}

export interface GroupInput {
  readonly state: CoreState;
  readonly head: Head;
  readonly nowUs: number;
  readonly items: readonly Item[];
  /** Newest fencing epoch of a node, as committed. */
  readonly epochOf: (node: string) => number;
  readonly archived: CommitRows['archived'];
}

/**
 * Applies records to a draft, in order: hellos, orders and the engine's own first, then each spool's. A record that the core
 * cannot take is refused alone; the others are applied as if it had never come.
 */
export function buildGroup(input: GroupInput): Group {
  const refused: { item: Item; error: SentinelError }[] = [];
  let items = inOrder(input.items);
  for (;;) {
    const builder = new Builder(input);
    const failed = items.find((item) => !builder.tryAdd(item));
    if (failed === undefined) return builder.finish(refused);
    refused.push({ item: failed, error: applyError(failed, builder.failure) });
    items = items.filter((item) => item !== failed);
  }
}

/** Records of one spool stand together, so that one row says where they are in the log. */
function inOrder(items: readonly Item[]): readonly Item[] {
  const spools = new Map<SpoolMark, UplinkItem[]>();
  const others: Item[] = [];
  for (const item of items) {
    if (item.kind !== 'uplink') others.push(item);
    else if (!spools.get(item.mark)?.push(item)) spools.set(item.mark, [item]);
  }
  return [...others, ...[...spools.values()].flat()];
}

class Builder {
  readonly #input: GroupInput;
  readonly #draft: Draft;
  readonly #effects = new EffectRows();
  readonly #logged: Logged[] = [];
  readonly #duplicates: SpoolItem[] = [];
  readonly #stale: { item: Item; error: SentinelError }[] = [];
  readonly #records: { commit_seq: number; now_us: number; kind: string; body: CoreRecord }[] = [];
  readonly #hellos: HelloItem[] = [];
  readonly #orders: OrderTable[] = [];
  readonly #marks = new Map<SpoolMark, MarkRow>();
  readonly #unarchived: UnarchivedRow[] = [];
  readonly #spools: { node: string; spool_id: string }[] = [];
  readonly #nowUs: number;
  #commitSeq: number;
  failure: unknown;

  constructor(input: GroupInput) {
    this.#input = input;
    this.#draft = begin(input.state);
    this.#commitSeq = input.head.commitSeq;
    this.#nowUs = Math.max(input.nowUs, input.head.nowUs);
  }

  /** false = the core threw, `failure` says what; the whole draft is then to be dropped. */
  tryAdd(item: Item): boolean {
    try {
      if (item.kind === 'uplink') this.#addUplink(item);
      else if (item.kind === 'monitor') this.#addReport(item);
      else this.#addRecord(item);
      return true;
    } catch (error) {
      this.failure = error;
      return false;
    }
  }

  #addRecord(item: Exclude<Item, SpoolItem>): void {
    const { record } = item;
    const effects = this.#apply(item);
    this.#log(record);
    if (item.kind === 'hello') this.#hellos.push(item);
    if (item.kind === 'order' && item.record.kind === 'operator' && effects.refusal === null) {
      this.#orders.push(orderRow(item.record, this.#commitSeq, effects));
    }
  }

  #log(body: CoreRecord): void {
    this.#records.push({ commit_seq: this.#commitSeq, now_us: this.#nowUs, kind: body.kind, body });
  }

  #addUplink(item: UplinkItem): void {
    const { record, mark, epoch } = item;
    if (this.#epochOf(record.node) !== epoch) {
      this.#stale.push({ item, error: superseded(record.node) });
      return;
    }
    if (!this.#isNext(item)) return;
    const offsetUs = nodeOf(this.#draft, record.node)?.offsetUs ?? 0;
    this.#apply(item, offsetUs);
    this.#raise(item, epoch);
    this.#noteUnarchived(record.node, mark.spoolId, record.sequence, offsetUs);
  }

  /** Nobody else speaks for the spool of a monitor, so whoever owns its node is as good as another. */
  #addReport(item: MonitorItem): void {
    const { record, mark } = item;
    if (!this.#isNext(item)) return;
    if (mark.committed === 0 && record.sequence === 1) this.#spools.push({ node: mark.node, spool_id: mark.spoolId });
    this.#apply(item);
    this.#log(record);
    this.#raise(item, this.#epochOf(record.node));
  }

  /** What was committed before is acknowledged again; what leaves a hole is refused. */
  #isNext(item: SpoolItem): boolean {
    const { record, mark } = item;
    const through = this.#marks.get(mark)?.committed_through ?? mark.committed;
    if (record.sequence <= through) this.#duplicates.push(item);
    else if (record.sequence !== through + 1)
      this.#stale.push({ item, error: sequenceGap(through + 1, record.sequence) });
    return record.sequence === through + 1;
  }

  #apply(item: Item, offsetUs = 0): Effects {
    const commitSeq = this.#commitSeq + 1;
    const effects = apply(this.#draft, { commitSeq, nowUs: this.#nowUs }, item.record);
    this.#commitSeq = commitSeq;
    this.#effects.add(commitSeq, effects);
    this.#logged.push({ item, commitSeq, effects, updates: announced(effects, this.#draft), offsetUs });
    return effects;
  }

  /** A hello of this same transaction raises it by one. */
  #epochOf(node: string): number {
    const raised = this.#hellos.some((hello) => hello.record.node === node) ? 1 : 0;
    return this.#input.epochOf(node) + raised;
  }

  #raise({ record, mark }: SpoolItem, epoch: number): void {
    this.#marks.set(mark, { node: record.node, spool_id: mark.spoolId, committed_through: record.sequence, epoch });
  }

  #noteUnarchived(node: string, spoolId: string, sequence: number, offsetUs: number): void {
    const last = this.#unarchived.at(-1);
    if (
      last?.node === node &&
      last.spool_id === spoolId &&
      last.last_sequence === sequence - 1 &&
      last.offset_us === offsetUs
    ) {
      last.last_sequence = sequence;
      return;
    }
    const place = {
      first_sequence: sequence,
      last_sequence: sequence,
      first_commit_seq: this.#commitSeq,
      now_us: this.#nowUs,
    };
    this.#unarchived.push({ node, spool_id: spoolId, ...place, offset_us: offsetUs });
  }

  finish(refused: Group['refused']): Group {
    const rows: CommitRows = {
      from: this.#input.head,
      to: { commitSeq: this.#commitSeq, nowUs: this.#nowUs },
      changes: this.#changes(),
      moved: this.#effects.moved,
      counters: this.#effects.counters,
      observations: this.#effects.observations,
      transitions: this.#effects.transitions,
      outbox: this.#effects.outbox,
      records: this.#records,
      orders: this.#orders,
      proposals: this.#effects.proposals,
      trustSnapshots: this.#effects.trustSnapshots,
      fleetDirectives: this.#effects.fleetDirectives.map((row) => ({ ...row, now_us: this.#nowUs })),
      liveUpdates: this.#logged.flatMap(({ commitSeq: commit_seq, updates }) =>
        updates.map((body, ordinal) => ({ commit_seq, ordinal, body })),
      ),
      marks: [...this.#marks.values()],
      unarchived: this.#unarchived,
      spools: this.#spools,
      hellos: this.#hellos.map(({ record, spoolId }) => ({ node: record.node, spool_id: spoolId })),
      keepsBase: this.#logged.some(({ item }) => keepsBase(item)),
      archived: this.#input.archived,
    };
    return {
      draft: this.#draft,
      rows,
      logged: this.#logged,
      duplicates: this.#duplicates,
      refused: [...refused, ...this.#stale],
    };
  }

  /** The configuration is stored even when it is what the core began with: a new database has none. */
  #changes(): CommitRows['changes'] {
    const made = changes(this.#draft);
    const set = this.#logged.findLast(({ item }) => item.record.kind === 'config')?.item.record;
    return { ...made, config: made.config ?? (set?.kind === 'config' ? set.config : null) };
  }
}

function applyError(item: Item, cause: unknown): SentinelError {
  const message = `a record of kind ${item.record.kind} could not be applied`;
  return new SentinelError({ code: 'INTERNAL', message, hint: 'This is a defect of the engine: see its log.', cause });
}

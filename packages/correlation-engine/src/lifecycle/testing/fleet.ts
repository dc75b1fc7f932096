import { checkBatch } from '../../evidence/check-batch.js';
import { posteriorOdds } from '../../evidence/decision.js';
import { begin, changes, install } from '../../evidence/draft.js';
import type { Effects, Work } from '../../evidence/effects.js';
import { ALL_GATES, type Gates } from '../../evidence/gates/outcome.js';
import type { DeviceState } from '../../evidence/model/device.js';
import type { NodeState } from '../../evidence/model/node.js';
import type { DirectiveKind, DirectiveState, OperatorAction, Proposal } from '../../evidence/model/orders.js';
import type { CoreConfig } from '../../evidence/model/settings.js';
import type { GateName } from '../../evidence/model/terms.js';
import { RunKind } from '../../evidence/model/terms.js';
import type { CommitContext, CoreRecord, HelloDevice, HelloRecord, OperatorRecord } from '../../evidence/record.js';
import { type CoreState, dueAt, emptyState, loadState, type SavedState, saveState } from '../../evidence/state.js';
import { columns, FMA32, INT_AES, type RunSpec, repeat, SMS } from '../../evidence/testing/batches.js';
import { CONFIG } from '../../evidence/testing/config.js';
import { apply } from '../apply.js';

export const SECOND_US = 1_000_000;
export const DAY_US = 86_400 * SECOND_US;
const START_US = 1_800_000_000 * SECOND_US;

export interface Committed {
  ctx: CommitContext;
  record: CoreRecord;
  effects: Effects;
}

export function describe(id: string, fields: Partial<HelloDevice> = {}): HelloDevice {
  const family = { probeVersion: 1, selfTestSmsRun: SMS.length, selfTestSmsPassed: SMS.length, instructions: ['x'] };
  return {
    id,
    model: 'Model A',
    vendor: 'Vendor',
    sms: SMS,
    driverVersion: '1',
    serial: '',
    note: '',
    families: [
      { family: FMA32, ...family },
      { family: INT_AES, ...family },
    ],
    ...fields,
  };
}

/** The device that a node has in these tests unless they say otherwise. */
export function deviceIdOf(node: string): string {
  return `CPU-${node}`;
}

type HelloFields = Partial<Omit<HelloRecord, 'kind' | 'node'>>;

/** A shell without stores: one transaction per record, a clock that the test moves, every record kept for replay. */
export class Fleet {
  state: CoreState;
  nowUs = START_US;
  readonly committed: Committed[] = [];
  readonly #sequences = new Map<string, number>();

  readonly #gates: Gates;

  /** @param gates those that decide: all, unless a test shows what one is there for */
  constructor(config: CoreConfig = CONFIG, gates = ALL_GATES) {
    this.#gates = gates;
    this.state = emptyState(config);
  }

  commit(record: CoreRecord): Effects {
    const ctx = { commitSeq: this.committed.length + 1, nowUs: this.nowUs };
    const draft = begin(this.state);
    const effects = apply(draft, ctx, record, posteriorOdds, this.#gates);
    changes(draft);
    install(draft);
    this.committed.push({ ctx, record, effects });
    return effects;
  }

  hello(node: string, fields: HelloFields = {}): Effects {
    return this.commit({
      kind: 'hello',
      node,
      identity: 'shared key',
      buildId: 'build-1',
      testBuild: false,
      agentTimeUs: this.nowUs,
      devices: [describe(deviceIdOf(node))],
      ...fields,
    });
  }

  /** A batch of the build that said hello, taken now. */
  batch(node: string, runs: readonly RunSpec[], baseUs = this.nowUs): Effects {
    const batch = columns(baseUs, deviceIdOf(node), runs);
    const problem = checkBatch(batch);
    if (problem !== undefined) throw new Error(`${problem.field}: ${problem.hint}`);
    return this.commit({ kind: 'batch', ...this.origin(node), batch });
  }

  origin(node: string): { node: string; spoolId: string; sequence: number; buildId: string; testBuild: boolean } {
    const sequence = (this.#sequences.get(node) ?? 0) + 1;
    this.#sequences.set(node, sequence);
    const { buildId, testBuild } = this.node(node);
    return { node, spoolId: '0190'.padEnd(32, '0'), sequence, buildId, testBuild };
  }

  operator(gpu: string, action: OperatorAction, more: Partial<OperatorRecord> = {}): Effects {
    const directiveId = `order-${this.committed.length}`;
    return this.commit({ kind: 'operator', directiveId, gpu, action, reason: 'because', actor: 'alice', ...more });
  }

  /** What waits for an operator on this device. */
  pending(gpu: string, action: OperatorAction): Proposal {
    return present(
      this.device(gpu).proposals.find((proposal) => proposal.action === action),
      `proposal of ${action} for ${gpu}`,
    );
  }

  answerProposal(directiveId: string, decision: 'APPROVE' | 'REJECT', actor = 'bob'): Effects {
    return this.commit({ kind: 'approval', directiveId, decision, reason: 'looked at it', actor });
  }

  configure(config: CoreConfig): Effects {
    return this.commit({ kind: 'config', config });
  }

  /** Moves the clock and commits a timer record whenever the core has asked for one, as a shell does. */
  advance(us: number): void {
    const endUs = this.nowUs + us;
    for (let due = dueAt(this.state); due !== undefined && due <= endUs; due = dueAt(this.state)) {
      if (due > this.nowUs) this.nowUs = due;
      this.commit({ kind: 'timer' });
      const next = dueAt(this.state);
      if (next !== undefined && next <= this.nowUs) throw new Error('a timer that asks for another at the same time');
    }
    this.nowUs = endUs;
  }

  device(id: string): DeviceState {
    return present(this.state.devices.get(id), id);
  }

  node(name: string): NodeState {
    return present(this.state.nodes.get(name), name);
  }

  open(id: string, kind: DirectiveKind): DirectiveState {
    return present(openOf(this.device(id), kind), `open ${kind} of ${id}`);
  }

  /** The ordinary way to a hard observation, answered in the burst. */
  failTwice(node: string, sm = 1): void {
    this.batch(node, [{ fails: [{ sm }] }]);
    this.answer(node, sm);
  }

  /** One failing execution of the open burst. */
  answer(node: string, sm = 1): Effects {
    const { id } = this.open(deviceIdOf(node), 'burst');
    return this.batch(node, [{ kind: RunKind.BURST, single: sm, directive: id, index: 1, fails: [{ sm }] }]);
  }

  /** A node with one device that was quarantined because of SM 1. */
  quarantined(node: string, hello: HelloFields = {}): void {
    this.hello(node, hello);
    this.failTwice(node);
    this.advance(11 * SECOND_US);
  }

  /** Clean executions of FMA on one SM, now; more than a test wants to send row by row. */
  cleanRuns(node: string, executions: number, directiveId = '', sm = 1): Effects {
    const fromUs = this.nowUs;
    const clean = [{ family: FMA32, sm, executions, directiveId, temperatureC: undefined }];
    const ran = [{ family: FMA32, runs: executions, executions }];
    return this.commit({ kind: 'span', node, deviceId: deviceIdOf(node), fromUs, untilUs: fromUs, ran, clean });
  }

  /** What the open deep test still needs of its first unit, cleanly. */
  passDeepTest(node: string): Effects {
    const { id, units } = this.open(deviceIdOf(node), 'deep-test');
    return this.cleanRuns(node, units[0]?.executions ?? 0, id, units[0]?.sm);
  }

  deepTestRuns(node: string, count: number, fields: RunSpec = {}): Effects {
    const { id } = this.open(deviceIdOf(node), 'deep-test');
    return this.batch(node, repeat(count, { kind: RunKind.DEEP_TEST, single: 1, directive: id, ...fields }));
  }

  saved(): SavedState {
    return JSON.parse(JSON.stringify(saveState(this.state))) as SavedState;
  }

  /** Goes on with what a store would give back. */
  restart(): void {
    this.state = loadState(this.saved());
  }
}

/** All gates but these. */
export function without(...names: readonly GateName[]): Gates {
  return new Set([...ALL_GATES].filter((name) => !names.includes(name)));
}

export function openOf(device: DeviceState, kind: DirectiveKind): DirectiveState | undefined {
  return device.directives.find((directive) => directive.kind === kind && directive.status === 'open');
}

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`there is no ${what}`);
  return value;
}

/** `event` members of the outbox, in order. */
export function eventNames(effects: Effects): string[] {
  return effects.outbox.map((entry) => entry.detail.event);
}

export function sentWork(effects: Effects): Work[] {
  return effects.directives.flatMap((entry) => (entry.op === 'send' ? [entry.work] : []));
}

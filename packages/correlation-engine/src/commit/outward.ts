import type { Bus } from '../bus/bus.js';
import type { StateCache } from '../bus/state-cache.js';
import { controlMessages } from '../control/control-messages.js';
import { directiveMessage } from '../control/directive-messages.js';
import type { Sessions } from '../control/sessions.js';
import type { Sample } from '../core.js';
import type { News } from '../directive-log/news.js';
import { touchedIds } from '../evidence/draft.js';
import { devicesOf } from '../ingest/stream-results.js';
import { Announcer } from '../live/announce.js';
import type { Relay } from '../outbox/relay.js';
import type { Archiver } from '../store/history/archiver.js';
import type { LatestTelemetry } from '../telemetry/latest.js';
import type { Committer } from './committer.js';
import type { Group, Logged } from './group.js';
import type { Timers } from './timers.js';

export interface OutwardParts {
  readonly committer: Committer;
  readonly sessions: Sessions;
  readonly telemetry: LatestTelemetry;
  readonly timers: Timers;
  readonly relay: Relay;
  readonly news: News;
  readonly archiver: Archiver;
  /** null = nobody else asks for the states. */
  readonly cache: StateCache | null;
  readonly bus: Bus;
}

/** What leaves the engine once a transaction is in the store and in memory: to the history, the agents, the outbox and whoever watches. */
export class Outward {
  readonly #parts: OutwardParts;
  readonly #announcer: Announcer;

  constructor(parts: OutwardParts) {
    this.#parts = parts;
    this.#announcer = new Announcer(parts.bus);
  }

  send(group: Group): void {
    const { archiver, relay, timers } = this.#parts;
    archiver.stored(group.rows.archived);
    for (const logged of group.logged) {
      this.#archive(logged, group.rows.to.nowUs);
      this.#tellAgents(logged);
    }
    this.#acknowledge(group);
    relay.added(group.rows.outbox.length, group.rows.to.nowUs);
    this.#parts.news.added(group.rows.fleetDirectives.length);
    timers.schedule();
    this.#announce(group);
  }

  /** Nothing waits for the bus. */
  #announce(group: Group): void {
    this.#announcer.committed(group);
    this.#parts.cache?.changed(touchedIds(group.draft));
  }

  #archive({ item, commitSeq, offsetUs }: Logged, nowUs: number): void {
    if (item.kind !== 'uplink') return;
    const { record, mark, payload } = item;
    this.#parts.archiver.offer(mark, {
      node: mark.node,
      spoolId: mark.spoolId,
      sequence: record.sequence,
      commitSeq,
      nowUs,
      offsetUs,
      devices: devicesOf(record),
      payload,
    });
    if (record.kind === 'telemetry') this.#keep(record.node, record.samples, offsetUs);
  }

  #tellAgents({ item, effects }: Logged): void {
    const { committer, sessions } = this.#parts;
    // A hello's are repeated with its welcome.
    if (item.kind !== 'hello')
      for (const effect of effects.directives) sessions.ofNode(effect.node)?.send(directiveMessage(effect));
    for (const node of effects.controls) {
      for (const message of controlMessages(committer.state.nodes.get(node))) sessions.ofNode(node)?.send(message);
    }
  }

  #acknowledge(group: Group): void {
    const nodes = new Set([
      ...group.rows.marks.map(({ node }) => node),
      ...group.duplicates.map(({ record }) => record.node),
    ]);
    for (const node of nodes) {
      const uplink = this.#parts.sessions.ofNode(node)?.uplink;
      uplink?.acknowledge();
      uplink?.resume();
    }
  }

  /** Of the sender's own devices alone. */
  #keep(node: string, samples: readonly Sample[], offsetUs: number): void {
    const { committer, telemetry } = this.#parts;
    const { nowUs } = committer.head;
    for (const sample of samples) {
      if (committer.state.devices.get(sample.deviceId)?.node !== node) continue;
      telemetry.put(sample, Math.max(0, Math.min(nowUs, Number(sample.timeUs) + offsetUs)));
    }
  }
}

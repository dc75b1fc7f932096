import type { Effects } from '@sentinel/correlation-engine/core';
import { HOUR_US } from '../world/environment.js';
import type { IncidentSeen } from './outcome.js';

type Detail = Effects['outbox'][number]['detail'];

interface Open {
  readonly key: string;
  readonly node: string;
  readonly family: string;
  readonly openedUs: number;
  closedUs: number | null;
}

/** What the ledger hears of incidents. */
export class Incidents {
  readonly #all: Open[] = [];
  readonly #byNode = new Map<string, number>();

  take(detail: Detail, nowUs: number): void {
    const [, what, step] = /^(breadth|node)_incident_(opened|closed|released)$/.exec(detail.event) ?? [];
    if (what === undefined) return;
    const node = textOf(detail, 'node');
    const key = what === 'node' ? node : textOf(detail, 'cohort');
    if (step === 'opened') {
      this.#all.push({ key, node, family: textOf(detail, 'family'), openedUs: nowUs, closedUs: null });
      if (what === 'node' && !this.#byNode.has(node)) this.#byNode.set(node, nowUs);
      return;
    }
    const open = this.#all.findLast((entry) => entry.key === key && entry.closedUs === null);
    if (open !== undefined) open.closedUs = nowUs;
  }

  /** When the first incident named this node; undefined = none did. */
  ofNode(node: string): number | undefined {
    return this.#byNode.get(node);
  }

  all(originUs: number): IncidentSeen[] {
    return this.#all.map(({ node, family, openedUs, closedUs }) => ({
      node,
      family,
      openedHours: (openedUs - originUs) / HOUR_US,
      closedHours: closedUs === null ? null : (closedUs - originUs) / HOUR_US,
    }));
  }
}

function textOf(detail: Detail, name: string): string {
  const value = (detail as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value : '';
}

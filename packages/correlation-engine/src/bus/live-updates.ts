import type { FleetAction, HealthState, IncidentPattern } from '../core.js';

/** A device changed its state. */
export interface StateUpdate {
  readonly kind: 'state';
  readonly gpu: string;
  /** '' = not known any more. */
  readonly node: string;
  readonly from: HealthState;
  readonly to: HealthState;
  readonly reason: string;
  /** Who ordered it; '' = the engine. */
  readonly actor: string;
  readonly injected: boolean;
  /** Event time. */
  readonly timeUs: number;
}

/** Something fails too broadly to be a defect of single devices, or no longer does. */
export interface IncidentUpdate {
  readonly kind: 'incident';
  readonly incident: string;
  readonly change: 'opened' | 'confirmed' | 'released' | 'closed';
  readonly pattern: IncidentPattern;
  /** Probe family that fails across nodes; '' for a fault of a node. */
  readonly family: string;
  /** '' for a fault of a cohort. */
  readonly node: string;
  readonly reason: string;
  readonly actor: string;
  readonly injected: boolean;
  readonly timeUs: number;
}

/** What orchestrators are told to do. */
export interface DirectiveUpdate {
  readonly kind: 'directive';
  readonly id: string;
  readonly action: FleetAction;
  /** '' = the node as a whole. */
  readonly gpu: string;
  readonly node: string;
  readonly reason: string;
  readonly actor: string;
  readonly injected: boolean;
  readonly timeUs: number;
}

export type LiveUpdate = StateUpdate | IncidentUpdate | DirectiveUpdate;

/** All that one transaction did that operators want to see as it happens. */
export interface LiveUpdates {
  /** Whoever was told everything up to this record misses nothing before these. */
  readonly after: number;
  /** Its newest record. */
  readonly commitSeq: number;
  readonly updates: readonly LiveUpdate[];
}

const KINDS: ReadonlySet<unknown> = new Set(['state', 'incident', 'directive']);

/**
 * What another engine published; null = not readable, for example of a later release. Kinds that are not known are left out. An
 * earlier release does not say what came before.
 */
export function parseLiveUpdates(value: unknown): LiveUpdates | null {
  if (typeof value !== 'object' || value === null) return null;
  const { commitSeq, after = commitSeq, updates } = value as Partial<LiveUpdates>;
  if (!isRecord(commitSeq) || !isRecord(after) || !Array.isArray(updates)) return null;
  return { after, commitSeq, updates: (updates as unknown[]).filter(isUpdate) };
}

function isRecord(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

/** Of a kind that this release knows. */
export function isUpdate(value: unknown): value is LiveUpdate {
  return typeof value === 'object' && value !== null && KINDS.has((value as { kind?: unknown }).kind);
}

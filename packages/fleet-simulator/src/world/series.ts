import type { RunKind } from '@sentinel/correlation-engine/core';

/** Executions at even intervals on one unit, or on all SMs of a family, that a directive asked for. */
export interface Series {
  readonly directive: string;
  readonly kind: (typeof RunKind)[keyof typeof RunKind];
  readonly family: number;
  /** null = every run covers all SMs. */
  readonly sm: number | null;
  readonly startUs: number;
  readonly intervalUs: number;
  readonly executions: number;
  /** Executions that the engine has been told of. */
  told: number;
  over: boolean;
}

/** Executions that ran until a time, and are not told of yet. */
export function untold(series: Series, untilUs: number): number {
  const ran = Math.floor((untilUs - series.startUs) / series.intervalUs);
  return Math.max(0, Math.min(series.executions, ran) - series.told);
}

/** Time of the nth execution, counted from 1. */
export function timeOf(series: Series, n: number): number {
  return Math.round(series.startUs + n * series.intervalUs);
}

import type {
  ExecuteReport,
  ExecuteRequest,
  GpuCensus,
  GpuExecuteReport,
  GpuExecuteRequest,
  GpuOpened,
  GpuOpenRequest,
  GpuTelemetryReport,
  GpuTelemetryRequest,
  GpuXidReport,
  Info,
  KnownAnswerResult,
  SlowdownReport,
  SlowdownRequest,
} from '@sentinel/native-probes';
import type { Falsified } from './native.js';

/** What the daemon may ask its child, and what each question is answered with. */
export interface Calls {
  readonly info: { readonly argument: null; readonly answer: Info };
  readonly execute: { readonly argument: ExecuteRequest; readonly answer: ExecuteReport };
  readonly measureSlowdown: { readonly argument: SlowdownRequest; readonly answer: SlowdownReport };
  readonly knownAnswers: { readonly argument: number; readonly answer: KnownAnswerResult[] };
  readonly gpuTelemetry: { readonly argument: GpuTelemetryRequest; readonly answer: GpuTelemetryReport };
  readonly gpuXids: { readonly argument: null; readonly answer: GpuXidReport };
  readonly inject: { readonly argument: string; readonly answer: null };
  readonly falsified: { readonly argument: null; readonly answer: Falsified };
  readonly gpuCensus: { readonly argument: null; readonly answer: GpuCensus };
  readonly gpuOpen: { readonly argument: GpuOpenRequest; readonly answer: GpuOpened };
  readonly gpuExecute: { readonly argument: GpuExecuteRequest; readonly answer: GpuExecuteReport };
  readonly gpuKnownAnswers: {
    readonly argument: null;
    readonly answer: (KnownAnswerResult & { readonly sm: number })[];
  };
}

export type CallName = keyof Calls;

/** A question without its number, and how long its answer may take. */
export type Asked = {
  readonly [Name in CallName]: {
    readonly call: Name;
    readonly argument: Calls[Name]['argument'];
    readonly timeoutMs: number;
  };
}[CallName];

/** Daemon to child. The child answers in order, one at a time. */
export type Question = { readonly id: number } & {
  readonly [Name in CallName]: { readonly call: Name; readonly argument: Calls[Name]['argument'] };
}[CallName];

/** Child to daemon. */
export type Answer = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: string };

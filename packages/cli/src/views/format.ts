import type { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import { GpuState as States, ProbeFamily, RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Colours a text when the stream it goes to shows colours (NO_COLOR and redirection are respected by node:util). */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

const STATE_STYLE: Readonly<Record<string, Style>> = {
  HEALTHY: 'green',
  SUSPECT: 'yellow',
  QUARANTINED: 'red',
  DEEP_TEST: 'cyan',
  CONDEMNED: ['red', 'bold'],
};

/** Name of a value of a generated enum object. */
export function enumName(values: Readonly<Record<string, number | string>>, value: number): string {
  return Object.keys(values).find((key) => values[key] === value) ?? `UNKNOWN_${value}`;
}

export function stateName(state: GpuState): string {
  return enumName(States, state);
}

export function paintState(state: GpuState): string {
  const name = stateName(state);
  return paint(STATE_STYLE[name] ?? 'dim', name);
}

/** `fma32`, `int_aes`: the names of the probe documentation. */
export function familyName(family: ProbeFamily): string {
  return enumName(ProbeFamily, family).toLowerCase();
}

export function kindName(kind: RunKind): string {
  return enumName(RunKind, kind).toLowerCase().replaceAll('_', '-');
}

const MARK = 'INJECTED';

export function injectedMark(injected: boolean): string {
  return injected ? paint('magenta', MARK) : '';
}

export function count(value: bigint | number): string {
  return value.toLocaleString('en-US');
}

/** UTC, seconds; empty for 0 = never. */
export function time(us: bigint): string {
  return us === 0n ? '-' : new Date(Number(us / 1000n)).toISOString().replace('T', ' ').replace(/\.\d+Z$/, 'Z');
}

const AGE_UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
];

/** `3m` since `us`, by the clock given in microseconds. */
export function age(us: bigint, nowUs: bigint): string {
  if (us === 0n) return 'never';
  const seconds = Math.max(0, Number((nowUs - us) / 1_000_000n));
  const [unit, size] = AGE_UNITS.find(([, each]) => seconds >= each) ?? ['s', 1];
  return `${Math.floor(seconds / size)}${unit} ago`;
}

/** 32-bit words as one hexadecimal text each. */
export function words(values: readonly number[]): string {
  return values.map((word) => `0x${(word >>> 0).toString(16).padStart(8, '0')}`).join(' ');
}

/** Exclusive or of two results, word by word. */
export function differing(expected: readonly number[], actual: readonly number[]): number[] {
  return expected.map((word, i) => (word ^ (actual[i] ?? 0)) >>> 0);
}

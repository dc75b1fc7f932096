import { styleText } from 'node:util';
import type { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import { ProbeFamily, RunKind, GpuState as States } from '@sentinel/contracts/sentinel/v1/common.js';

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
  return paintStateName(stateName(state));
}

export function paintStateName(name: string): string {
  return paint(STATE_STYLE[name] ?? 'dim', name);
}

/** `fma32`, `int_aes`: the names of the probe documentation; `job` for what no probe ran. */
export function familyName(family: ProbeFamily): string {
  if (family === ProbeFamily.UNSPECIFIED) return 'job';
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

const COMPACT = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 3 });

/** `12.3K`: at most five characters, for columns. */
export function compactCount(value: bigint | number): string {
  return COMPACT.format(value);
}

export function plural(n: bigint | number, noun: string, many = `${noun}s`): string {
  return `${count(n)} ${Number(n) === 1 ? noun : many}`;
}

/** UTC, seconds; `-` for 0 = never. */
export function time(us: bigint): string {
  if (us === 0n) return '-';
  return new Date(Number(us / 1000n))
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');
}

const AGE_UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
];

/** `3m ago`, by the clock given in microseconds. */
export function age(us: bigint, nowUs: bigint): string {
  if (us === 0n) return 'never';
  const seconds = Math.max(0, Number((nowUs - us) / 1_000_000n));
  const [unit, size] = AGE_UNITS.find(([, each]) => seconds >= each) ?? ['s', 1];
  return `${Math.floor(seconds / size)}${unit} ago`;
}

/** One 32-bit word in hexadecimal. */
export function word(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, '0')}`;
}

export function words(values: readonly number[]): string {
  return values.map(word).join(' ');
}

/** Exclusive or of two results, word by word; a word that one of them lacks counts as 0. */
export function differing(expected: readonly number[], actual: readonly number[]): number[] {
  const length = Math.max(expected.length, actual.length);
  return Array.from({ length }, (_, i) => ((expected[i] ?? 0) ^ (actual[i] ?? 0)) >>> 0);
}

/** Numbers of the set bits, lowest first. */
export function bitNumbers(value: number): number[] {
  return Array.from({ length: 32 }, (_, bit) => bit).filter((bit) => (value >>> bit) & 1);
}

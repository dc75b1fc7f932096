import { injectedMark, paint, paintStateName, time } from './format.js';
import { NARROWEST, wrap } from './wrap.js';

/** One line of `sentinel watch`: when, about which device ('' = none), what. */
export interface Line {
  readonly timeUs: bigint;
  readonly gpu: string;
  readonly text: string;
}

type Data = Readonly<Record<string, unknown>>;

/** What the engine tells of an event, in words; null = a later release knows what it is. */
export function liveUpdate(event: string, data: Data): Line | null {
  const text = TEXTS[event]?.(data);
  if (text === undefined) return null;
  const us = data['time_us'];
  return { timeUs: Number.isSafeInteger(us) ? BigInt(us as number) : 0n, gpu: word(data, 'gpu'), text };
}

const TEXTS: Readonly<Record<string, (data: Data) => string>> = {
  state: (data) => explained(`${paintStateName(word(data, 'from'))} -> ${paintStateName(word(data, 'to'))}`, data),
  incident: (data) =>
    explained(joined([paint('yellow', `incident ${word(data, 'change')}`), word(data, 'incident'), about(data)]), data),
  directive: (data) =>
    joined([
      `orchestrators are told: ${paint('bold', word(data, 'action'))}`,
      word(data, 'gpu') === '' ? `node ${word(data, 'node')}` : '',
    ]),
};

function about(data: Data): string {
  return word(data, 'node') === '' ? word(data, 'family') : `node ${word(data, 'node')}`;
}

/** The reason is the last part: it may be long. */
function explained(what: string, data: Data): string {
  const actor = word(data, 'actor');
  const who = joined([what, injectedMark(data['injected'] === true), actor === '' ? '' : `by ${actor}`]);
  return joined([who, word(data, 'reason')], ': ');
}

function joined(parts: readonly string[], gap = ' '): string {
  return parts.filter((part) => part !== '').join(gap);
}

/** What a terminal would take for an order is none. */
function word(data: Data, name: string): string {
  const value = data[name];
  return typeof value === 'string' ? value.replaceAll(/\p{Cc}+/gu, ' ').trim() : '';
}

const INDENT = '    ';

/** The line, broken for a terminal of so many columns; undefined = it is no terminal, where one line is one line. */
export function line({ timeUs, gpu, text }: Line, columns: number | undefined): string {
  const whole = joined([time(timeUs), gpu, text], '  ');
  return columns === undefined ? whole : wrap(whole, INDENT, Math.max(NARROWEST, columns)).join('\n').trimStart();
}

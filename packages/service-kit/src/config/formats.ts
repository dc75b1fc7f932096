/**
 * Strict value formats.
 *
 * Every format refuses what a lenient reader would bend into shape: text where a number belongs, an empty text as zero,
 * "yes" as true, NaN, infinities, octal, numbers where text belongs. A format never sees a default it would refuse: the
 * schema's own test checks that.
 */

/** A value that a format refuses. `found` is kept apart from `expected` so that it can be left out for secrets. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
  readonly expected: string;
  readonly found: string | undefined;

  constructor(expected: string, found?: string) {
    super(found === undefined ? `expected ${expected}` : `expected ${expected}, found ${found}`);
    this.expected = expected;
    this.found = found;
  }
}

export interface Format<T> {
  /** What a valid value looks like, as the end of the sentence "expected …". */
  readonly expects: string;
  /** Takes a value as YAML gives it. @throws FormatError */
  check(value: unknown): T;
  /** Takes a value written as text (environment variable, `--override`, secret file). @throws FormatError */
  parse(text: string): T;
  /** Makes relative paths inside the value absolute. Absent where a value holds no path. */
  resolve?(value: T, baseFolder: string): T;
  /** The part of a secret value that may be shown, when that is more than nothing. */
  reveal?(value: unknown): string | undefined;
}

const MAX_SHOWN = 60;

/** Names a refused value in an error, shortened. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value !== 'string') return `${typeof value === 'boolean' ? '' : 'number '}${String(value)}`;
  if (value === '') return 'an empty text';
  const shown = value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value;
  return `text ${JSON.stringify(shown)}`;
}

export function refuse(expected: string, value: unknown): never {
  throw new FormatError(expected, describeValue(value));
}

// JSON's grammar: no sign "+", no hexadecimal, no blanks, no empty text.
const DECIMAL = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

function numberFormat(expects: string, accepts: (value: number) => boolean): Format<number> {
  const check = (value: unknown): number =>
    typeof value === 'number' && Number.isFinite(value) && accepts(value) ? value : refuse(expects, value);
  return { expects, check, parse: (text) => (DECIMAL.test(text) ? check(Number(text)) : refuse(expects, text)) };
}

/** A finite number in [min, max]. */
export function real(min: number, max: number): Format<number> {
  return numberFormat(`a number from ${min} to ${max}`, (value) => value >= min && value <= max);
}

/** A whole number in [min, max]. */
export function integer(min: number, max: number): Format<number> {
  return numberFormat(
    `a whole number from ${min} to ${max}`,
    (value) => Number.isSafeInteger(value) && value >= min && value <= max,
  );
}

/** true or false, nothing else. */
export const flag: Format<boolean> = {
  expects: 'true or false',
  check: (value) => (typeof value === 'boolean' ? value : refuse('true or false', value)),
  parse: (text) => (text === 'true' ? true : text === 'false' ? false : refuse('true or false', text)),
};

/** One of a closed set of words. */
export function choice<const W extends readonly string[]>(...words: W): Format<W[number]> {
  const expects = `one of ${words.join(', ')}`;
  const check = (value: unknown): W[number] => words.find((word) => word === value) ?? refuse(expects, value);
  return { expects, check, parse: check };
}

export interface TextRules {
  readonly expects: string;
  readonly pattern?: RegExp;
  readonly allowEmpty?: boolean;
}

const MAX_TEXT = 4096;

function hasControlCharacter(value: string): boolean {
  for (const character of value) if (character < ' ' || character === '\u007f') return true;
  return false;
}

function textExpectation(rules: TextRules, value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return `${rules.expects} (put it in quotes)`;
  return rules.expects;
}

/** Text on one line. Numbers are not text: YAML would drop their leading zeros. */
export function text(rules: TextRules = { expects: 'text' }): Format<string> {
  const check = (value: unknown): string => {
    if (typeof value !== 'string') return refuse(textExpectation(rules, value), value);
    if (value === '') return rules.allowEmpty === true ? value : refuse(rules.expects, value);
    if (value.length > MAX_TEXT || hasControlCharacter(value)) {
      return refuse(`${rules.expects}, at most ${MAX_TEXT} characters without control characters`, value);
    }
    return rules.pattern === undefined || rules.pattern.test(value) ? value : refuse(rules.expects, value);
  };
  return { expects: rules.expects, check, parse: check };
}

/** Several values of one kind; as text they are separated by commas, and an empty text is the empty list. */
export function list<T>(item: Format<T>, separator = ','): Format<readonly T[]> {
  const expects = `a list, each ${item.expects}`;
  const check = (value: unknown): readonly T[] =>
    Array.isArray(value) ? value.map((element: unknown) => item.check(element)) : refuse(expects, value);
  const parse = (text: string): readonly T[] =>
    text === '' ? [] : text.split(separator).map((part) => item.parse(part.trim()));
  return { expects, check, parse };
}

const MAP_KEY = /^(?!constructor$|prototype$)[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const MAP_KEY_EXPECTS = 'a mapping whose names have 1 to 64 letters, digits, "_" or "-"';

/** Names to values; as text `name=value,name=value` or one a line, split at the first "=" of each part. */
export function mapping<T>(item: Format<T>): Format<Readonly<Record<string, T>>> {
  const expects = `a mapping of names, each ${item.expects}`;
  const build = (entries: readonly (readonly [string, T])[]): Readonly<Record<string, T>> => {
    if (entries.some(([name]) => !MAP_KEY.test(name))) throw new FormatError(MAP_KEY_EXPECTS);
    if (new Set(entries.map(([name]) => name)).size < entries.length) throw new FormatError('each name once');
    return Object.fromEntries(entries);
  };
  const check = (value: unknown): Readonly<Record<string, T>> => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(expects, value);
    return build(Object.entries(value).map(([name, element]) => [name, item.check(element)] as const));
  };
  const parsePart = (part: string): readonly [string, T] => {
    const split = part.indexOf('=');
    if (split < 0) throw new FormatError('name=value,name=value');
    return [part.slice(0, split).trim(), item.parse(part.slice(split + 1).trim())];
  };
  const parse = (text: string): Readonly<Record<string, T>> => {
    const parts = text.split(/[,\n]/).filter((part) => part.trim() !== '');
    return build(parts.map(parsePart));
  };
  return { expects, check, parse };
}

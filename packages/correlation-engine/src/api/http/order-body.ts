import { SentinelError } from '@sentinel/service-kit/errors';

/** What a member of an order is; `prefix` = that of an enumeration's names, which may be left out. */
type Kind = 'text' | 'texts' | 'flag' | 'count' | { readonly prefix: string };

/** An order as its JSON has it. */
export interface OrderShape<T> {
  readonly type: { fromJSON(json: unknown): T };
  /** Every member, named as in the message. */
  readonly members: Readonly<Record<keyof T & string, Kind>>;
}

/** Other names of a member, by member. */
const ALIASES: ReadonlyMap<string, readonly string[]> = new Map([['gpu', ['gpu_uuid', 'gpuUuid']]]);

/**
 * Reads an order, and nothing into it: what is misspelt or of another type could carry out something else than was meant.
 * @param text JSON; members named as in the proto file or in lowerCamelCase
 * @throws SentinelError INVALID_ARGUMENT naming the member
 */
export function parseOrder<T>(text: string, { type, members }: OrderShape<T>): T {
  const kinds: Readonly<Record<string, Kind>> = members;
  const memberOf = new Map(Object.keys(kinds).flatMap((name) => namesOf(name).map((also) => [also, name] as const)));
  const order = new Map<string, unknown>();
  for (const [name, value] of Object.entries(jsonObject(text))) {
    const member = memberOf.get(name);
    const kind = member === undefined ? undefined : kinds[member];
    if (member === undefined || kind === undefined) throw unknownMember(name, Object.keys(kinds));
    if (order.has(member)) throw invalid(snakeCase(member), 'is given twice');
    order.set(member, read(snakeCase(member), value, kind));
  }
  return type.fromJSON(Object.fromEntries(order));
}

function jsonObject(text: string): object {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw malformed('the body is not JSON', cause);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw malformed('the body is no JSON object');
  return json;
}

function namesOf(member: string): string[] {
  return [...new Set([member, snakeCase(member), ...(ALIASES.get(member) ?? [])])];
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function read(name: string, value: unknown, kind: Kind): unknown {
  if (kind === 'flag') return typeof value === 'boolean' ? value : refuse(name, 'must be true or false');
  if (kind === 'count') return isCount(value) ? value : refuse(name, 'must be a whole number');
  if (kind === 'texts') {
    if (!Array.isArray(value)) return refuse(name, 'must be a list of texts');
    return value.map((entry: unknown, i) => read(`${name}[${i}]`, entry, 'text'));
  }
  if (typeof value !== 'string') return refuse(name, 'must be text');
  if (kind === 'text') return value;
  return value.startsWith(kind.prefix) ? value : `${kind.prefix}${value}`;
}

/** 64 bits may come as text, as they do in the JSON of messages. */
function isCount(value: unknown): boolean {
  return typeof value === 'string' ? /^\d{1,15}$/.test(value) : Number.isSafeInteger(value) && Number(value) >= 0;
}

function refuse(name: string, hint: string): never {
  throw invalid(name, hint);
}

function unknownMember(name: string, known: readonly string[]): SentinelError {
  const shown = name.slice(0, 64);
  return new SentinelError({
    code: 'INVALID_ARGUMENT',
    message: `${JSON.stringify(shown)} is no member of this order`,
    field: shown,
    hint: `Nothing was done. The members are ${known.map(snakeCase).join(', ')}.`,
  });
}

function invalid(field: string, hint: string): SentinelError {
  return new SentinelError({ code: 'INVALID_ARGUMENT', message: `${field} ${hint}`, field });
}

function malformed(message: string, cause?: unknown): SentinelError {
  return new SentinelError({ code: 'INVALID_ARGUMENT', reason: 'MALFORMED', message, cause });
}

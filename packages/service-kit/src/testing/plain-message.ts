/** A decoded message as the vectors write it: names as in the proto file, bytes in hexadecimal, 64-bit integers as decimal text. */
export function plainMessage(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plainMessage);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(plainField));
}

/** An absent field is left out; the member of a oneof stands under its own name, as in the proto file. */
function plainField([name, value]: [string, unknown]): [string, unknown][] {
  if (value === undefined) return [];
  if (isOneof(value)) return [[snakeCase(value.$case), plainMessage(value.value)]];
  return [[snakeCase(name), plainMessage(value)]];
}

function isOneof(value: unknown): value is { readonly $case: string; readonly value: unknown } {
  return typeof value === 'object' && value !== null && '$case' in value;
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

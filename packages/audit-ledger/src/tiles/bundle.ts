/** Entry bundles: each entry as a big-endian u16 length and its bytes, 1..256 of them. */

export class MalformedBundleError extends Error {
  override readonly name = 'MalformedBundleError';
}

export function encodeBundle(entries: readonly Uint8Array[]): Buffer {
  const bundle = Buffer.allocUnsafe(entries.reduce((bytes, entry) => bytes + 2 + entry.length, 0));
  let offset = 0;
  for (const entry of entries) {
    offset = bundle.writeUInt16BE(entry.length, offset);
    bundle.set(entry, offset);
    offset += entry.length;
  }
  return bundle;
}

/** Views into `bundle`; refuses anything but exactly `count` entries. */
export function decodeBundle(bundle: Uint8Array, count: number): Uint8Array[] {
  const entries: Uint8Array[] = [];
  let offset = 0;
  while (offset + 2 <= bundle.length) {
    const start = offset + 2;
    offset = start + ((bundle[offset] ?? 0) << 8) + (bundle[offset + 1] ?? 0);
    if (offset > bundle.length) throw new MalformedBundleError('entry bundle is cut short');
    entries.push(bundle.subarray(start, offset));
  }
  if (offset !== bundle.length || entries.length !== count) {
    throw new MalformedBundleError(`entry bundle does not hold exactly ${count} entries`);
  }
  return entries;
}
